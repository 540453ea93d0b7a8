#include "vectors/vector_file.hpp"

#include "base/text.hpp"

namespace syncline::vectors {

void VectorFile::require(const std::string& covered, std::int64_t least) {
  const auto found = counts_.find(covered);
  const std::int64_t times = found == counts_.end() ? 0 : found->second;
  if (times < least) {
    missing_.push_back(name_ + ": '" + covered + "' " + std::to_string(times) + " times, " + std::to_string(least) +
                       " required");
  }
}

std::int64_t VectorFile::count_of_prefix(std::string_view prefix) const {
  std::int64_t sum = 0;
  for (const auto& [covered, times] : counts_) {
    if (covered.starts_with(prefix)) sum += times;
  }
  return sum;
}

std::string VectorFile::to_text() const {
  std::string text;
  JsonWriter writer(text);
  writer.begin_object().integer("format", 1).name("covers").begin_object();
  for (const auto& [covered, times] : counts_) writer.integer(covered, times);
  writer.end_object().end_object();
  text += '\n';
  for (const std::string& line : lines_) text.append(line).append("\n");
  return text;
}

std::vector<VectorFile> make_all_vectors() {
  std::vector<VectorFile> files;
  files.push_back(make_replicator_vectors());
  files.push_back(make_outbox_vectors());
  files.push_back(make_merge_vectors());
  files.push_back(make_wire_vectors());
  return files;
}

std::string first_difference(const std::string& stored, const std::string& made) {
  if (stored == made) return "";
  const auto stored_lines = split(stored, '\n');
  const auto made_lines = split(made, '\n');
  std::size_t i = 0;
  while (i < stored_lines.size() && i < made_lines.size() && stored_lines[i] == made_lines[i]) ++i;
  const auto line_of = [i](const auto& lines) { return i < lines.size() ? std::string(lines[i]) : "(the end)"; };
  return "line " + std::to_string(i + 1) + "\n  stored: " + line_of(stored_lines) +
         "\n  made:   " + line_of(made_lines);
}

std::string json_text(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string json_number(std::int64_t value) { return '"' + std::to_string(value) + '"'; }

std::string json_number(const std::optional<std::int64_t>& value) { return value ? json_number(*value) : "null"; }

std::string cursor_text(const Cursor& cursor) { return cursor.epoch.empty() ? "0" : cursor.to_text(); }

std::string Observed::change_to(Members now) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  for (const auto& [name, value] : now) {
    const auto before = last_.find(name);
    if (before == last_.end() || before->second != value) writer.raw(name, value);
  }
  for (const auto& [name, value] : last_) {
    if (!now.contains(name)) writer.name(name).null();
  }
  writer.end_object();
  last_ = std::move(now);
  return out;
}

}  // namespace syncline::vectors
