#include "api/native/record_json.hpp"

#include <charconv>

namespace syncline::native {

void append_record_members(std::string& out, const RecordView& record) {
  char digits[24];
  out.append("\"seq\":").append(digits, std::to_chars(digits, digits + sizeof digits, record.seq.value).ptr);
  out.append(",\"collection\":\"").append(record.collection);  // a name needs no escapes
  out.append("\",\"id\":");
  append_json_string(out, record.id);
  out.append(",\"updated_at\":\"");
  append_time(out, record.updated_at);
  if (record.deleted) {
    out.append("\",\"deleted\":true");
  } else {
    out.append("\",\"deleted\":false,\"doc\":").append(record.doc);
  }
}

void append_record(std::string& out, const RecordView& record) {
  out += '{';
  append_record_members(out, record);
  out += '}';
}

void append_conflict(std::string& out, const Conflict& conflict, const std::optional<Record>& winner,
                     std::string_view loser_key_label) {
  JsonWriter writer(out);
  writer.begin_object()
      .name("id")
      .string(std::to_string(conflict.number.value))
      .name("collection")
      .string(conflict.loser.collection)
      .name("record_id")
      .string(conflict.loser.id)
      .name("rule")
      .string(to_text(conflict.rule))
      .name("at")
      .string(format_time(conflict.at))
      .name("state")
      .string(to_text(conflict.state))
      .name("loser_key_label")
      .string(loser_key_label);
  std::string record;
  append_record(record, view_of(conflict.loser));
  writer.name("loser").raw(record);
  if (winner) {
    record.clear();
    append_record(record, view_of(*winner));
    writer.name("winner").raw(record);
  } else {
    writer.name("winner").null();
  }
  writer.end_object();
}

Result<SpaceName> space_of(const api::Call& call) {
  CHECK_OK(check_space_name(call.param("space")));
  return call.space(call.param("space"));
}

void fail_with_cursor(const api::CallPtr& call, const Error& error, const Cursor& current) {
  api::Problem problem = api::problem_of(error);
  if (error.advice == Advice::resync) problem.cursor = current.to_text();
  call->fail(problem);
}

}  // namespace syncline::native
