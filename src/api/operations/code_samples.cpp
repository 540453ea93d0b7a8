#include "api/operations/code_samples.hpp"

#include <algorithm>

#include "api/operations/literal.hpp"
#include "base/text.hpp"

namespace syncline::operations {
namespace {

/// What a program does with an answer.
enum class Reads : std::uint8_t { json, text, events, nothing, socket };

Reads reads_of(const api::Route& route) {
  const auto found = std::ranges::find_if(route.outcomes, [](const api::Outcome& one) { return one.status < 300; });
  if (found == route.outcomes.end()) return Reads::nothing;
  if (found->status == 101) return Reads::socket;
  if (found->media_type == "text/event-stream") return Reads::events;
  if (found->media_type != "application/json") return Reads::text;
  return found->schema.empty() ? Reads::nothing : Reads::json;
}

std::string upper_case(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return upper;
}

std::string_view word_for(std::string_view parameter) {
  return parameter == "space" || parameter == "collection" ? "notes" : std::string_view();
}

std::string curl(const api::Route& route, std::string_view body, Reads reads) {
  const std::string_view method = http::to_text(route.method);
  const bool is_implied = method == "GET" || (method == "POST" && !body.empty());
  std::string code = "curl ";
  if (reads == Reads::events) code += "-N ";
  if (!is_implied) code.append("-X ").append(method).append(" ");
  if (!route.any_of.empty()) code += "-H \"Authorization: Bearer $KEY\" ";
  code.append("\"$HUB").append(sample_target(route)).append("\"");
  if (body.empty()) return code;
  std::string literal;
  append_literal(literal, JsonView(body), LiteralOf::json);
  code += " \\\n  -H \"Content-Type: application/json\" -d '";
  for (const char c : literal) {
    if (c == '\'') {
      code += R"('\'')";
    } else {
      code += c;
    }
  }
  return code + '\'';
}

std::string java_script_socket(const api::Route& route) {
  return "import WebSocket from \"ws\";\n\nconst socket = new WebSocket(`${hub.replace(\"http\", \"ws\")}" +
         sample_target(route) +
         "`, {\n  headers: {Authorization: `Bearer ${key}`},\n});\n"
         "socket.on(\"message\", (text) => console.log(JSON.parse(text)));";
}

std::string java_script(const api::Route& route, std::string_view body, Reads reads) {
  std::string options;
  if (route.method != http::Method::get) {
    options.append("  method: \"").append(http::to_text(route.method)).append("\",\n");
  }
  std::string headers;
  if (!route.any_of.empty()) headers += "Authorization: `Bearer ${key}`";
  if (!body.empty()) headers += std::string(headers.empty() ? "" : ", ") + "\"Content-Type\": \"application/json\"";
  if (!headers.empty()) options += "  headers: {" + headers + "},\n";
  if (!body.empty()) {
    options += "  body: JSON.stringify(";
    append_literal(options, JsonView(body), LiteralOf::json, 2);
    options += "),\n";
  }
  std::string code = "const answer = await fetch(`${hub}" + sample_target(route) + '`';
  if (!options.empty()) code += ", {\n" + options + '}';
  code += ");\n";
  switch (reads) {
    case Reads::json: return code + "console.log(await answer.json());";
    case Reads::text: return code + "console.log(await answer.text());";
    case Reads::events:
      return code +
             "for await (const text of answer.body.pipeThrough(new TextDecoderStream())) {\n"
             "  console.log(text);\n}";
    case Reads::nothing:
    case Reads::socket: break;
  }
  return code + "console.log(answer.status);";
}

std::string python_socket(const api::Route& route) {
  return "from websockets.sync.client import connect\n\n"
         "headers = {\"Authorization\": f\"Bearer {key}\"}\n"
         "with connect(hub.replace(\"http\", \"ws\", 1) + \"" +
         sample_target(route) +
         "\", additional_headers=headers) as socket:\n    for text in socket:\n"
         "        print(text)";
}

std::string python(const api::Route& route, std::string_view body, Reads reads) {
  std::string code = "import requests\n\nanswer = requests." + lower_case(http::to_text(route.method)) +
                     "(\n    f\"{hub}" + sample_target(route) + "\",\n";
  if (!route.any_of.empty()) code += "    headers={\"Authorization\": f\"Bearer {key}\"},\n";
  if (!body.empty()) {
    code += "    json=";
    append_literal(code, JsonView(body), LiteralOf::python, 4);
    code += ",\n";
  }
  if (reads == Reads::events) code += "    stream=True,\n";
  code += ")\n";
  switch (reads) {
    case Reads::json: return code + "print(answer.json())";
    case Reads::text: return code + "print(answer.text)";
    case Reads::events: return code + "for line in answer.iter_lines():\n    print(line.decode())";
    case Reads::nothing:
    case Reads::socket: break;
  }
  return code + "print(answer.status_code)";
}

}  // namespace

std::string sample_target(const api::Route& route) {
  std::string target;
  for (std::string_view rest = route.pattern; !rest.empty();) {
    const std::size_t open = rest.find('{');
    target += rest.substr(0, open);
    if (open == std::string_view::npos) break;
    const std::size_t close = rest.find('}', open);
    const std::string_view name = rest.substr(open + 1, close - open - 1);
    const std::string_view word = word_for(name);
    target += word.empty() ? upper_case(name) : std::string(word);
    rest.remove_prefix(close + 1);
  }
  if (!route.only_with_query.empty()) {
    target.append("?").append(route.only_with_query[0]).append("=").append(upper_case(route.only_with_query[0]));
  }
  return target;
}

std::vector<CodeSample> make_code_samples(const api::Route& route, std::string_view body) {
  const Reads reads = reads_of(route);
  if (reads == Reads::socket) {
    return {{"JavaScript (Node.js)", java_script_socket(route)}, {"Python", python_socket(route)}};
  }
  return {{"curl", curl(route, body, reads)},
          {"JavaScript", java_script(route, body, reads)},
          {"Python", python(route, body, reads)}};
}

}  // namespace syncline::operations
