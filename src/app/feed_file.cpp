#include "app/feed_file.hpp"

#include <fcntl.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "base/file_descriptor.hpp"
#include "base/json_object.hpp"
#include "base/limits.hpp"

namespace syncline::app {
namespace {

constexpr int kFormat = 1;
constexpr std::string_view kHead = "syncline_export";
constexpr std::string_view kEnd = "syncline_export_end";

Error cannot(const std::string& what, const std::string& path) {
  const int reason = errno;
  const ErrorCode code = reason == ENOSPC || reason == EDQUOT    ? ErrorCode::storage_full
                         : reason == ENOENT || reason == ENOTDIR ? ErrorCode::not_found
                                                                 : ErrorCode::internal;
  return {code, "cannot " + what + ' ' + path + ": " + std::strerror(reason)};
}

}  // namespace

Result<ExportState> read_export(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorCode::not_found, path + " does not exist");
  ExportState state;
  std::string line;
  std::int64_t bytes = 0;
  std::int64_t records = 0;
  bool is_first = true;
  while (std::getline(file, line) && !file.eof()) {  // a last line without an end was cut
    bytes += static_cast<std::int64_t>(line.size()) + 1;
    if (line.find("\"collection\":") != std::string::npos && !is_first) {
      ++records;
      continue;
    }
    const auto object = parse_json_object(line, limits::kBodyDepthMax);
    const auto spaces = object ? object->find("spaces") : std::nullopt;
    if (is_first && (!object || object->integer_of(kHead) != kFormat || !spaces || !spaces->is_array())) break;
    if (!object) return fail(ErrorCode::conflict, path + " has a line that is not a JSON object; choose another file");
    if (object->find(kEnd)) {
      return fail(ErrorCode::conflict, path + " is already a complete export; choose another file");
    }
    if (is_first) {
      is_first = false;
      state.epoch = object->text_of("epoch");
      spaces->for_each_element([&](JsonView space) { state.spaces.push_back(space.as_string().value_or("")); });
      state.bytes = bytes;
      continue;
    }
    const auto more = object->find("more");
    state.cursor = object->text_of("cursor");
    state.records = records;
    state.bytes = bytes;
    if (more && !more->as_boolean().value_or(true)) {
      state.at += 1;
      state.cursor = "0";
    }
  }
  if (is_first) return fail(ErrorCode::conflict, path + " is not an export; choose another file");
  return state;
}

Result<FeedWriter> FeedWriter::create(const std::string& path, const ExportState& state) {
  FeedWriter writer;
  writer.path_ = path;
  if (!path.empty()) {
    const FileDescriptor made(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!made.is_open()) return std::unexpected(cannot("create", path));
    writer.file_.open(path, std::ios::binary);
    if (!writer.file_) return std::unexpected(cannot("write", path));
  }
  JsonWriter head(writer.lines_);
  head.begin_object().integer(kHead, kFormat).string("epoch", state.epoch).name("spaces").begin_array();
  for (const std::string& space : state.spaces) head.string(space);
  head.end_array().end_object();
  writer.lines_ += '\n';
  if (const auto written = writer.flush(); !written) {
    if (!path.empty()) std::remove(path.c_str());  // without a head it would be in the way, and of no use
    return std::unexpected(written.error());
  }
  return writer;
}

Result<FeedWriter> FeedWriter::append(const std::string& path, const ExportState& state) {
  FeedWriter writer;
  writer.path_ = path;
  std::error_code error;
  std::filesystem::resize_file(path, static_cast<std::uintmax_t>(state.bytes), error);
  if (error) return fail(ErrorCode::internal, "cannot resume " + path + ": " + error.message());
  writer.file_.open(path, std::ios::binary | std::ios::app);
  if (!writer.file_) return std::unexpected(cannot("write", path));
  return writer;
}

void append_record_line(std::string& out, std::string_view space, JsonView change) {
  JsonWriter writer(out);
  writer.begin_object().string("space", space);
  change.for_each_member([&](std::string_view name, JsonView value) { writer.raw(name, value.raw()); });
  writer.end_object();
}

void FeedWriter::add_record(std::string_view space, JsonView change) {
  append_record_line(lines_, space, change);
  lines_ += '\n';
}

Result<> FeedWriter::add_cursor(std::string_view space, std::string_view cursor, bool more) {
  JsonWriter(lines_).begin_object().string("space", space).string("cursor", cursor).boolean("more", more).end_object();
  lines_ += '\n';
  return flush();
}

Result<> FeedWriter::add_end(std::int64_t records) {
  JsonWriter(lines_).begin_object().integer(kEnd, kFormat).integer("records", records).end_object();
  lines_ += '\n';
  return flush();
}

Result<> FeedWriter::flush() {
  errno = 0;
  bool is_written = false;
  if (path_.empty()) {
    is_written = std::fwrite(lines_.data(), 1, lines_.size(), stdout) == lines_.size() && std::fflush(stdout) == 0;
  } else {
    is_written = static_cast<bool>(file_.write(lines_.data(), static_cast<std::streamsize>(lines_.size())).flush());
  }
  lines_.clear();
  if (is_written) return {};
  return std::unexpected(cannot("write", path_.empty() ? "standard output" : path_));
}

Result<FeedLine> read_feed_line(std::string line) {
  const auto object = parse_json_object(std::move(line), limits::kBodyDepthMax);
  if (!object) return fail(ErrorCode::invalid_document, "not a JSON object");
  FeedLine read;
  const auto damaged = object->find("damaged");
  if (damaged && damaged->as_boolean().value_or(false) && !object->find("doc")) {
    read.kind = FeedLine::Kind::damaged;
    return read;
  }
  const bool is_record = object->find("collection").has_value();
  if (!is_record && object->find(kHead)) read.kind = FeedLine::Kind::head;
  if (!is_record && object->find(kEnd)) read.kind = FeedLine::Kind::end;
  if (!is_record && object->find("cursor")) read.kind = FeedLine::Kind::cursor;
  if (read.kind != FeedLine::Kind::record) return read;
  for (const std::string_view name : {"collection", "id"}) {
    if (object->text_of(name).empty()) return fail(ErrorCode::invalid_document, std::string(name) + " is missing");
  }
  read.space = object->text_of("space");
  const auto deleted = object->find("deleted");
  const bool is_deleted = deleted && deleted->as_boolean().value_or(false);
  const auto doc = object->find("doc");
  if (!is_deleted && (!doc || !doc->is_object())) {
    return fail(ErrorCode::invalid_document, "doc is missing or not an object");
  }
  JsonWriter op(read.op);
  op.begin_object().string("collection", object->text_of("collection")).string("id", object->text_of("id"));
  if (const auto stamp = object->find("updated_at")) op.raw("updated_at", stamp->raw());
  if (is_deleted) {
    op.boolean("deleted", true);
  } else {
    op.raw("doc", doc->raw());
  }
  op.end_object();
  return read;
}

}  // namespace syncline::app
