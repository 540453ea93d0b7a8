#include "node/yaml_edit.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <vector>

#include "base/text.hpp"

namespace syncline::node {
namespace {

std::unexpected<Error> cannot_edit(int line, const std::string& why) {
  return fail(ErrorCode::invalid_argument, "line " + std::to_string(line + 1) + ": " + why + "; edit the file by hand");
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (const std::string_view line : split(text, '\n')) lines.emplace_back(line);
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

std::string join_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

/// The key's node in a map; nothing if the map has no such key.
std::optional<YAML::Node> find_key(const YAML::Node& map, std::string_view key) {
  for (const auto& member : map) {
    if (member.first.IsScalar() && member.first.Scalar() == key) return member.first;
  }
  return std::nullopt;
}

/// Where the value ends and a comment or the line's end begins.
std::size_t value_end(const std::string& line, std::size_t from) {
  char quote = 0;
  for (std::size_t i = from; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != 0) {
      if (quote == '"' && c == '\\') {
        ++i;
      } else if (c == quote) {
        quote = 0;
      }
    } else if ((c == '"' || c == '\'') && i == from) {
      quote = c;
    } else if (c == '#' && i > 0 && (line[i - 1] == ' ' || line[i - 1] == '\t')) {
      return i;
    }
  }
  return line.size();
}

/// Replaces what stands behind "key:" on the key's line.
Result<> replace_value(std::vector<std::string>& lines, const YAML::Node& key, const YAML::Node& value,
                       std::string_view yaml) {
  const int line_number = key.Mark().line;
  const bool is_plain = value.IsNull() || (value.IsScalar() && value.Mark().line == line_number);
  if (!is_plain) return cannot_edit(line_number, "the value is not a plain value on the same line");
  std::string& line = lines[static_cast<std::size_t>(line_number)];
  const std::size_t colon = line.find(':', static_cast<std::size_t>(key.Mark().column) + key.Scalar().size());
  if (colon == std::string::npos) return cannot_edit(line_number, "no ':' after the key");
  const std::size_t begin = std::min(line.size(), line.find_first_not_of(" \t", colon + 1));
  if (begin < line.size() && (line[begin] == '|' || line[begin] == '>' || line[begin] == '&' || line[begin] == '*')) {
    return cannot_edit(line_number, "the value is not a plain value on the same line");
  }
  const bool is_comment = begin < line.size() && line[begin] == '#';
  const std::size_t end = is_comment ? begin : value_end(line, begin);
  std::string rest = line.substr(end);
  line = line.substr(0, colon + 1) + ' ' + std::string(yaml);
  if (!rest.empty()) line += "  " + rest;
  return {};
}

Result<YAML::Node> parse(const std::string& text) {
  try {
    return YAML::Load(text);
  } catch (const YAML::Exception& exception) {
    return fail(ErrorCode::invalid_argument, exception.what());
  }
}

}  // namespace

std::string yaml_scalar(std::string_view text) {
  const bool is_safe = !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '/' || c == '.';
  });
  const bool is_word = is_safe && ((text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z'));
  constexpr std::string_view kTaken[] = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"};
  const bool is_taken =
      std::ranges::any_of(kTaken, [&](std::string_view word) { return equal_ignoring_case(word, text); });
  if (is_word && !is_taken) return std::string(text);
  std::string quoted = "\"";
  constexpr std::string_view kHex = "0123456789abcdef";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted.append(1, '\\').append(1, c);
    } else if (byte < 0x20) {
      quoted.append("\\x").append(1, kHex[byte >> 4U]).append(1, kHex[byte & 15U]);
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

namespace {

Result<std::string> edit_scalar(const std::string& text, std::string_view section, std::string_view key,
                                std::string_view yaml) {
  TRY(const YAML::Node root, parse(text));
  if (!root.IsNull() && !root.IsMap()) return cannot_edit(0, "the file is not a map");
  std::vector<std::string> lines = lines_of(text);
  const std::string entry = std::string(key) + ": " + std::string(yaml);
  const auto section_key = root.IsMap() ? find_key(root, section) : std::nullopt;
  if (!section_key) {
    lines.push_back(std::string(section) + ":");
    lines.push_back("  " + entry);
  } else {
    const YAML::Node map = root[std::string(section)];
    const int line = section_key->Mark().line;
    if (!map.IsNull() && !map.IsMap()) return cannot_edit(line, "'" + std::string(section) + "' is not a map");
    const auto found = map.IsMap() ? find_key(map, key) : std::nullopt;
    const bool is_flow = map.IsMap() && map.Style() == YAML::EmitterStyle::Flow;
    if (is_flow) return cannot_edit(line, "'" + std::string(section) + "' is written on one line");
    if (found) {
      CHECK_OK(replace_value(lines, *found, map[std::string(key)], yaml));
    } else {
      const bool has_children = map.IsMap() && map.size() > 0;
      const auto indent = has_children ? static_cast<std::size_t>(map.begin()->first.Mark().column)
                                       : static_cast<std::size_t>(section_key->Mark().column) + 2;
      lines.insert(lines.begin() + line + 1, std::string(indent, ' ') + entry);
    }
  }
  std::string edited = join_lines(lines);
  TRY(const YAML::Node check, parse(edited));
  TRY(const YAML::Node wanted, parse(std::string(yaml)));
  const YAML::Node map = check.IsMap() ? check[std::string(section)] : YAML::Node();
  const YAML::Node now = map.IsMap() ? map[std::string(key)] : YAML::Node();
  if (!now.IsDefined() || !now.IsScalar() || !wanted.IsScalar() || now.Scalar() != wanted.Scalar()) {
    return cannot_edit(0, "'" + std::string(key) + "' cannot be set automatically");
  }
  return edited;
}

/// The jobs of a file, whichever way they are listed.
std::vector<YAML::Node> jobs_in(const YAML::Node& root) {
  const YAML::Node jobs = root.IsMap() ? root["jobs"] : root;
  std::vector<YAML::Node> found;
  if (!jobs.IsDefined()) return found;
  if (jobs.IsSequence()) {
    for (const auto& job : jobs) found.push_back(job);
  } else if (jobs.IsMap()) {
    for (const auto& job : jobs) found.push_back(job.second);
  }
  return found;
}

/// What the jobs say beside their models.
std::string without_models(const std::string& text) {
  YAML::Node root = YAML::Load(text);
  for (YAML::Node job : jobs_in(root)) {
    if (job.IsMap()) job.remove("model");
  }
  return YAML::Dump(root);
}

Result<JobsEdit> edit_models(const std::string& text, std::string_view model) {
  TRY(const YAML::Node root, parse(text));
  JobsEdit edit;
  std::vector<std::string> lines = lines_of(text);
  const std::vector<YAML::Node> jobs = jobs_in(root);
  // From the end, so that added lines move nothing that is still to be edited.
  for (auto job = jobs.rbegin(); job != jobs.rend(); ++job) {
    if (!job->IsMap() || job->size() == 0) continue;
    const auto key = find_key(*job, "model");
    const YAML::Node value = key ? (*job)["model"] : YAML::Node();
    if (key && value.IsScalar() && value.Scalar() == model) continue;
    const int line = job->Mark().line;
    if (job->Style() == YAML::EmitterStyle::Flow) return cannot_edit(line, "the job is written on one line");
    ++edit.changed;
    if (key) {
      CHECK_OK(replace_value(lines, *key, value, yaml_scalar(model)));
      continue;
    }
    const auto first = *job->begin();
    const int first_line = first.first.Mark().line;
    const bool is_plain = first.second.IsScalar() && first.second.Mark().line == first_line;
    if (!is_plain) return cannot_edit(first_line, "the job's first value is not a plain value on the same line");
    lines.insert(lines.begin() + first_line + 1, std::string(static_cast<std::size_t>(first.first.Mark().column), ' ') +
                                                     "model: " + yaml_scalar(model));
  }
  edit.text = edit.changed == 0 ? text : join_lines(lines);
  if (without_models(edit.text) != without_models(text)) return cannot_edit(0, "a model cannot be set automatically");
  for (const YAML::Node& job : jobs_in(YAML::Load(edit.text))) {
    const bool is_set = !job.IsMap() || job.size() == 0 || (job["model"].IsScalar() && job["model"].Scalar() == model);
    if (!is_set) return cannot_edit(0, "a model cannot be set automatically");
  }
  return edit;
}

}  // namespace

Result<std::string> set_in_yaml(const std::string& text, std::string_view section, std::string_view key,
                                std::string_view yaml) {
  try {
    return edit_scalar(text, section, key, yaml);
  } catch (const YAML::Exception& exception) {
    return fail(ErrorCode::invalid_argument, exception.what());
  }
}

Result<JobsEdit> set_model_of_jobs(const std::string& text, std::string_view model) {
  try {
    return edit_models(text, model);
  } catch (const YAML::Exception& exception) {
    return fail(ErrorCode::invalid_argument, exception.what());
  }
}

}  // namespace syncline::node
