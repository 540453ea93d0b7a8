#include "runner/program_kinds.hpp"

#include <fcntl.h>

#include <algorithm>

#include "base/bytes.hpp"
#include "base/text.hpp"

namespace syncline::runner {
namespace {

constexpr std::int64_t kMatchesMax = 1000;
constexpr std::int64_t kMatchesDefault = 200;
constexpr std::size_t kMatchTextBytesMax = 1000;
constexpr int kOutputDepthMax = 32;

std::unexpected<Error> refuse(std::string text) { return fail(ErrorCode::invalid_argument, std::move(text)); }

Result<> check_argument(std::string_view text, std::string_view field) {
  if (text.find('\0') != std::string_view::npos)
    return refuse("field '" + std::string(field) + "' contains a NUL byte");
  return {};
}

/// A text of ripgrep's JSON: {"text": ...} or, if it is not UTF-8, {"bytes": base64}.
std::string text_of(std::optional<JsonView> data) {
  if (!data || !data->is_object()) return "";
  if (const auto text = data->find("text")) return text->as_string().value_or("");
  const auto bytes = data->find("bytes");
  std::string decoded = from_base64(bytes ? bytes->as_string().value_or("") : "").value_or("");
  std::ranges::replace_if(decoded, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
  return decoded;
}

/// One line, of bounded length.
std::string shorten(std::string_view text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  return std::string(cut_utf8(text, kMatchTextBytesMax));
}

}  // namespace

Result<std::vector<std::string>> make_bash_argv(const Order& order, const Decision& decision) {
  if (!decision.words.empty()) return decision.words;
  const std::string line = order.text("command");
  CHECK_OK(check_argument(line, "command"));
  return std::vector<std::string>{"bash", "--noprofile", "--norc", "-c", line};
}

std::size_t search_limit(const Order& order) {
  const std::int64_t wanted = order.fields.integer_of("maxResults").value_or(kMatchesDefault);
  return static_cast<std::size_t>(std::clamp<std::int64_t>(wanted, 1, kMatchesMax));
}

Result<std::vector<std::string>> make_search_argv(const Roots& roots, const Order& order) {
  const std::string query = order.text("query");
  const std::string glob = order.text("glob");
  const std::string path = order.text("path");
  CHECK_OK(check_argument(query, "query"));
  CHECK_OK(check_argument(glob, "glob"));
  const auto regex = order.fields.find("regex");
  const bool is_regex = regex && regex->as_boolean().value_or(false);
  // As many lines of one file as are wanted at all, and short ones: the output stays small.
  std::vector<std::string> argv = {"rg",
                                   "--json",
                                   "--no-config",
                                   "--sort=path",
                                   "--max-columns=4096",
                                   "--max-count=" + std::to_string(search_limit(order) + 1)};
  if (!is_regex) argv.emplace_back("--fixed-strings");
  if (!glob.empty()) argv.push_back("--glob=" + glob);
  argv.push_back("--regexp=" + query);
  argv.emplace_back("--");
  if (path.empty()) {
    argv.emplace_back("./");
  } else {
    TRY(const Place place, roots.locate(path, order.text("workingDir")));
    // Seen here so that a path that leaves its root is refused; the program meets it again inside the sandbox.
    TRY([[maybe_unused]] const FileDescriptor found, Roots::open_at(place, O_PATH));
    argv.push_back(place.absolute());
  }
  return argv;
}

Outcome make_search_outcome(const ProgramEnd& end, std::size_t limit) {
  std::string result;
  JsonWriter writer(result);
  writer.begin_object().name("matches").begin_array();
  std::size_t count = 0;
  bool truncated = end.out.truncated();
  const std::string output = end.out.text();
  for (const std::string_view raw_line : split(output, '\n')) {
    std::string line(raw_line);
    if (line.empty() || check_json(line, kOutputDepthMax).fault != JsonFault::none) continue;
    const JsonView event(line);
    const auto type = event.find("type");
    const auto data = event.find("data");
    if (!type || type->as_string().value_or("") != "match" || !data) continue;
    if (count == limit) {
      truncated = true;
      break;
    }
    count += 1;
    const std::string text = shorten(text_of(data->find("lines")));
    std::string path = text_of(data->find("path"));
    if (path.starts_with("./")) path.erase(0, 2);
    const auto number = data->find("line_number");
    writer.begin_object()
        .string("path", path)
        .integer("line", number ? number->as_integer().value_or(0) : 0)
        .string("text", text)
        .end_object();
  }
  writer.end_array().boolean("truncated", truncated).end_object();
  // 0: found, 1: nothing found, 2: an error, perhaps beside matches.
  const int code = end.exit_code.value_or(2);
  if (code > 1 && count == 0) {
    const std::string complaint = shorten(end.err.text());
    Outcome outcome = failed("the search failed: " + (is_utf8(complaint) ? complaint : "ripgrep"));
    outcome.exit_code = code;
    return outcome;
  }
  Outcome outcome = completed(std::move(result));
  outcome.exit_code = code;
  return outcome;
}

std::string make_output_result(const ProgramEnd& end, OutputStyle style) {
  std::string result;
  JsonWriter writer(result);
  writer.begin_object();
  write_output(writer, end.out, end.err);
  if (end.exit_code) writer.integer("exitCode", *end.exit_code);
  if (style == OutputStyle::with_json && !end.out.truncated()) {
    std::string json = end.out.text();
    if (!trim(json).empty() && check_json(json, kOutputDepthMax).fault == JsonFault::none) {
      writer.raw("output", trim(json));
    }
  }
  writer.end_object();
  return result;
}

}  // namespace syncline::runner
