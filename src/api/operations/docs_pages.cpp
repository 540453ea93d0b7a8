#include "api/operations/docs_pages.hpp"

#include <algorithm>

#include "api/operations/code_samples.hpp"
#include "api/operations/literal.hpp"
#include "api/operations/open_api.hpp"
#include "api/operations/page.hpp"
#include "api/operations/schema_set.hpp"
#include "base/text.hpp"
#include "http/problem_code.hpp"

namespace syncline::operations {
namespace {

std::string code_html(std::string_view text) { return "<code>" + escape_html(text) + "</code>"; }

/// Long lines scroll, also from the keyboard.
std::string block_html(std::string_view text) {
  return "<pre tabindex=\"0\"><code>" + escape_html(text) + "</code></pre>";
}

std::string link_html(std::string_view target, std::string_view html) {
  return "<a href=\"" + escape_html(target) + "\">" + std::string(html) + "</a>";
}

std::string method_html(const api::Route& route) {
  return "<span class=\"method\">" + escape_html(http::to_text(route.method)) + "</span>";
}

/// Empty for a face without prefixes.
std::string prefixes_html(const std::vector<api::Route>& routes, std::string_view face) {
  std::string html;
  for (const std::string_view prefix : prefixes_of(routes, face)) {
    html += (html.empty() ? "Also under " : " and ") + code_html(prefix);
  }
  return html.empty() ? html : html + ". ";
}

std::string open_api_link(std::string_view face) {
  return link_html("/openapi/" + std::string(face) + ".json", "OpenAPI");
}

void append_face(std::string& html, const std::vector<api::Route>& routes, std::string_view face) {
  const std::string page = "/docs/" + std::string(face);
  html += "<section data-group id=\"" + escape_html(face) + "\"><h2>" + link_html(page, escape_html(face)) +
          "</h2><p class=\"soft\">" + prefixes_html(routes, face) + open_api_link(face) + "</p><ul class=\"routes\">";
  for (const api::Route* route : routes_of(routes, face)) {
    html += "<li data-entry>" + method_html(*route) + ' ' +
            link_html(page + '#' + operation_id(*route), code_html(route->pattern)) + " <span>" +
            escape_html(route->summary) + "</span></li>";
  }
  html += "</ul></section>";
}

void append_problems(std::string& html) {
  html += "<section data-group id=\"errors\"><h2>Error codes</h2><ul class=\"routes problems\">";
  for (const http::ProblemText& problem : http::kProblemTexts) {
    html += "<li data-entry>" + link_html("/problems/" + std::string(problem.code), code_html(problem.code)) +
            " <span>" + escape_html(problem.text) + "</span></li>";
  }
  html += "</ul></section>";
}

std::string example_html(std::string_view json) {
  std::string literal;
  append_literal(literal, JsonView(json), LiteralOf::json);
  return block_html(literal);
}

void append_parameters(std::string& html, const api::Route& route) {
  if (route.parameters.empty()) return;
  html += "<h3>Parameters</h3><dl>";
  for (const api::Parameter& parameter : route.parameters) {
    html += "<dt>" + code_html(parameter.name) + "</dt><dd>" + escape_html(parameter.description) +
            " <span class=\"soft\">(" + escape_html(parameter.in) + ")</span></dd>";
  }
  html += "</dl>";
}

void append_answers(std::string& html, const api::Route& route, const SchemaSet& schemas) {
  html += "<h3>Answers</h3><dl>";
  for (const api::Outcome& outcome : route.outcomes) {
    html += "<dt>" + std::to_string(outcome.status) + "</dt><dd>" + escape_html(outcome.meaning);
    if (outcome.media_type != "application/json") {
      html += " <span class=\"soft\">(" + escape_html(outcome.media_type) + ")</span>";
    }
    html += "</dd>";
  }
  html += "</dl>";
  const auto shown = std::ranges::find_if(route.outcomes, [](const api::Outcome& one) { return !one.schema.empty(); });
  if (shown != route.outcomes.end()) html += example_html(schemas.make_example(shown->schema));
}

void append_samples(std::string& html, const api::Route& route, std::string_view body) {
  html += "<h3>Examples</h3>";
  std::string_view is_open = " open";  // the first one
  for (const CodeSample& sample : make_code_samples(route, body)) {
    html.append("<details").append(is_open).append("><summary>").append(escape_html(sample.language));
    html.append("</summary>").append(block_html(sample.code)).append("</details>");
    is_open = {};
  }
}

void append_route(std::string& html, const api::Route& route, const SchemaSet& schemas) {
  html += "<article data-entry id=\"" + escape_html(operation_id(route)) + "\"><h2>" + method_html(route) + ' ' +
          code_html(route.pattern) + "</h2><p>" + escape_html(route.summary) + ". " + escape_html(route.details) +
          "</p><p class=\"soft\">";
  if (route.any_of.empty()) {
    html += "Needs no key.";
  } else {
    html += "Needs a key with the scope " + escape_html(join_scopes(route.any_of, " or ")) + '.';
  }
  if (!route.only_with_query.empty()) {
    html += " Answers requests with " + escape_html(join(route.only_with_query, " or ")) +
            "; other requests of this path belong to another API.";
  }
  html += "</p>";
  append_parameters(html, route);
  const std::string body = route.request_body.empty() ? "" : schemas.make_example(route.request_body_schema);
  if (!body.empty()) html += "<h3>Body</h3><p>" + escape_html(route.request_body) + "</p>" + example_html(body);
  append_answers(html, route, schemas);
  append_samples(html, route, body);
  html += "</article>";
}

}  // namespace

std::string make_docs_index(const std::vector<api::Route>& routes, std::string_view version) {
  std::string html = "<h1>API of syncline " + escape_html(version) +
                     "</h1><p>A request carries its key as <code>Authorization: Bearer KEY</code>. For programs: " +
                     link_html("/openapi.json", "all of it as OpenAPI") + ", and below one document for each API.</p>";
  // What describes the process comes last: few readers look for it.
  std::vector<std::string_view> faces = faces_of(routes);
  const auto process = std::ranges::find(faces, "operations");
  if (process != faces.end()) std::rotate(process, process + 1, faces.end());
  html += "<nav aria-label=\"APIs\">";
  for (const std::string_view face : faces) html += link_html('#' + std::string(face), escape_html(face)) + ' ';
  html += link_html("#errors", "Error codes") + "</nav>" + std::string(kSearchField);
  for (const std::string_view face : faces) append_face(html, routes, face);
  append_problems(html);
  return make_page("API of syncline", html);
}

std::string make_docs_page(const std::vector<api::Route>& routes, std::string_view face) {
  const std::vector<const api::Route*> described = routes_of(routes, face);
  const SchemaSet schemas(described);
  std::string html = "<p>" + link_html("/docs", "All APIs") + "</p><h1>" + escape_html(face) + "</h1><p>" +
                     prefixes_html(routes, face) + open_api_link(face) +
                     "</p><p>In the examples, <code>HUB</code> or <code>hub</code> is the URL of the hub, like "
                     "<code>http://127.0.0.1:8080</code>, and <code>KEY</code> or <code>key</code> is a key.</p>" +
                     std::string(kSearchField);
  for (const api::Route* route : described) append_route(html, *route, schemas);
  return make_page(std::string(face) + " - API of syncline", html);
}

std::optional<std::string> make_problem_page(std::string_view code) {
  const auto found = std::ranges::find(http::kProblemTexts, code, &http::ProblemText::code);
  if (found == http::kProblemTexts.end()) return std::nullopt;
  return make_page(std::string(code) + " - syncline", "<p>" + link_html("/docs", "All APIs and error codes") +
                                                          "</p><h1>" + code_html(code) + "</h1><p>" +
                                                          escape_html(found->text) + "</p>");
}

}  // namespace syncline::operations
