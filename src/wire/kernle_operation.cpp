#include "wire/kernle_operation.hpp"

#include <algorithm>

#include "base/limits.hpp"

namespace syncline::kernle {
namespace {

std::string_view read_text(JsonView json, std::string_view name, std::deque<std::string>& texts) {
  const auto value = json.find(name);
  if (!value) return {};
  if (const auto plain = value->as_plain_string()) return *plain;
  auto text = value->as_string();
  return text ? std::string_view(texts.emplace_back(*std::move(text))) : std::string_view{};
}

/// Nothing if the object names none. A stamp that no client may have stands for the nearest that one may: the hub's
/// clock guard does the rest.
Result<std::optional<Timestamp>> read_stamp(JsonView json) {
  const auto value = json.find_set("local_updated_at");
  if (!value) return std::nullopt;
  const auto time = parse_iso_or_utc_time(value->as_string().value_or(""));
  if (!time) {
    return fail(ErrorCode::invalid_argument, "local_updated_at must be a time like 2026-11-22T00:10:07.004670+00:00");
  }
  return std::clamp(*time, kClientTimeMin, kClientTimeMax);
}

Result<> read_document(Operation& operation, std::optional<JsonView> data, bool has_doubtful_values) {
  if (!data) return fail(ErrorCode::invalid_document, "data is missing");
  if (!data->is_object()) return fail(ErrorCode::invalid_document, "data must be an object");
  if (data->depth() > limits::kDocumentDepthMax) {
    return fail(ErrorCode::invalid_document,
                "data is nested deeper than " + std::to_string(limits::kDocumentDepthMax) + " levels");
  }
  if (has_doubtful_values) {
    std::string copy(data->raw());
    const JsonCheck check = check_json(copy, limits::kDocumentDepthMax);
    if (check.fault != JsonFault::none) return fail(ErrorCode::invalid_document, "data has " + check.detail);
  }
  operation.op.doc = data->raw();
  return {};
}

Result<> read_members(Operation& operation, JsonView json, bool has_doubtful_values) {
  const std::string_view verb = operation.verb;
  operation.op.deleted = verb == "delete";
  if (!operation.op.deleted && verb != "update" && verb != "upsert" && verb != "insert") {
    return fail(ErrorCode::invalid_argument, "operation must be update, upsert, insert or delete");
  }
  if (operation.table_as_sent.empty()) return fail(ErrorCode::invalid_argument, "table is missing");
  const Table* table = find_table(operation.table_as_sent);
  if (table == nullptr) {
    return fail(ErrorCode::not_found, "unknown table '" + std::string(operation.table_as_sent) + "'");
  }
  operation.op.collection = table->name;
  if (operation.id.empty()) return fail(ErrorCode::invalid_argument, "record_id is missing");
  operation.op.id = operation.id;
  TRY(operation.op.updated_at, read_stamp(json));
  if (operation.op.deleted) return {};
  const auto data = json.find_set("data");
  CHECK_OK(read_document(operation, data, has_doubtful_values));
  if (operation.op.updated_at) return {};
  TRY(operation.op.updated_at, read_stamp(*data));
  return {};
}

}  // namespace

Operation read_operation(JsonView json, std::deque<std::string>& texts, bool has_doubtful_values) {
  Operation operation;
  if (!json.is_object()) {
    operation.refusal = Error{ErrorCode::invalid_argument, "an operation must be an object"};
    return operation;
  }
  operation.table_as_sent = read_text(json, "table", texts);
  operation.id = read_text(json, "record_id", texts);
  operation.verb = read_text(json, "operation", texts);
  if (const auto read = read_members(operation, json, has_doubtful_values); !read) operation.refusal = read.error();
  return operation;
}

}  // namespace syncline::kernle
