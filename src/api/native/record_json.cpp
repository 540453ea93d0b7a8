#include "api/native/record_json.hpp"

#include <charconv>

namespace syncline::native {

Result<Docs> docs_of(const api::Call& call) {
  const auto wanted = call.query("docs");
  if (!wanted || *wanted == "json") return Docs::values;
  if (*wanted == "text") return Docs::text;
  return fail(ErrorCode::invalid_argument, "docs must be json or text");
}

void append_record_members(std::string& out, const RecordView& record, Docs docs) {
  char digits[24];
  out.append("\"seq\":").append(digits, std::to_chars(digits, digits + sizeof digits, record.seq.value).ptr);
  out.append(",\"collection\":\"").append(record.collection);  // a name needs no escapes
  out.append("\",\"id\":");
  append_json_string(out, record.id);
  out.append(",\"updated_at\":\"");
  append_time(out, record.updated_at);
  if (record.deleted) {
    out.append("\",\"deleted\":true");
    return;
  }
  out.append("\",\"deleted\":false,\"doc\":");
  if (docs == Docs::text) {
    append_json_string(out, record.doc);
  } else {
    out.append(record.doc);
  }
}

void append_record(std::string& out, const RecordView& record, Docs docs) {
  out += '{';
  append_record_members(out, record, docs);
  out += '}';
}

void append_damaged(std::string& out, const DamagedRecord& damaged) {
  JsonWriter writer(out);
  writer.begin_object().integer("seq", damaged.seq.value);
  if (!damaged.collection.empty()) writer.string("collection", damaged.collection).string("id", damaged.id);
  writer.boolean("damaged", true);
  if (damaged.is_replaced) writer.boolean("replaced", true);
  writer.end_object();
}

Result<std::optional<Record>> find_winner(Snapshot& snapshot, const Record& loser) {
  return snapshot.find_undamaged(loser.collection, loser.id);
}

void append_conflict(std::string& out, const Conflict& conflict, const std::optional<Record>& winner,
                     std::string_view loser_key_label, Docs docs) {
  JsonWriter writer(out);
  writer.begin_object()
      .string("id", std::to_string(conflict.number.value))
      .string("collection", conflict.loser.collection)
      .string("record_id", conflict.loser.id)
      .string("rule", to_text(conflict.rule))
      .string("at", format_time(conflict.at))
      .string("state", to_text(conflict.state))
      .string("loser_key_label", loser_key_label);
  std::string record;
  append_record(record, view_of(conflict.loser), docs);
  writer.raw("loser", record);
  if (winner) {
    record.clear();
    append_record(record, view_of(*winner), docs);
    writer.raw("winner", record);
  } else {
    writer.name("winner").null();
  }
  writer.end_object();
}

void append_space_members(JsonWriter& writer, const SpaceInfo& info, const Cursor& cursor) {
  writer.string("name", info.name.name);
  writer.string("cursor", cursor.to_text());
  writer.integer("records", info.records);
  writer.integer("bytes", info.bytes);
  writer.string("updated_at", format_time(info.updated_at));
}

void fail_with_cursor(const api::CallPtr& call, const Error& error, const Cursor& current) {
  api::Problem problem = api::problem_of(error);
  if (advice_of(error.code) == Advice::resync) problem.cursor = current.to_text();
  call->fail(problem);
}

}  // namespace syncline::native
