// Bodies and targets of the native API as a replica reads and writes them. Bodies that no hub sends are here as far as
// a broken one, or something on the way, may send them.
#include <array>

#include "replica/native_wire.hpp"
#include "vectors/vector_file.hpp"

namespace syncline::vectors {
namespace {

using replica::HubVersion;
using replica::Verdict;

constexpr std::int64_t kLimit = 3;
constexpr std::size_t kOps = 2;

constexpr std::array<std::string_view, 19> kCursors = {
    "0", "", "e.0", "e1.5", "r2-00000000000a.7", "e-ffffffffffff.999999999999999", "e-00000000000a.4.9",
    "e-00000000000a.4.0.9", "e-00000000000a.4.9.12", "e.4.9",
    // Not cursors.
    "e", "e.", ".5", "e.-1", "e.5.6.7.8", "e.1.2.3", "e_.5", "e-.5", "e.5 "};

/// Answers to a pull of kLimit records since "e-00000000000a.2".
constexpr std::array kPages = {
    // What hubs send.
    R"({"changes":[],"cursor":"e-00000000000a.2","more":false})",
    R"({"changes":[{"seq":3,"collection":"c","id":"r","updated_at":"2026-11-22T00:10:07.004670Z","deleted":false,"doc":{"a":1}},)"
    R"({"seq":4,"collection":"c","id":"s","updated_at":"2026-11-22T00:10:07.000000Z","deleted":true}],)"
    R"("cursor":"e-00000000000a.4.0.9","more":true})",
    // Documents keep their text.
    R"({"changes":[{"seq":3,"collection":"c","id":"r","updated_at":"2026-11-22T00:10:07.004670Z","deleted":false,)"
    R"("doc":{"2":1.0,"1":9007199254740993,"a":"x","a":"y","e":1E2,"big":123456789012345678901234567890}}],)"
    R"("cursor":"e-00000000000a.3","more":false})",
    R"({"changes":[{"seq":3,"collection":"c","id":"r","updated_at":"2026-11-22T00:10:07.004670Z","deleted":false,)"
    R"("doc": { "s" : "}\"{\\" , "doc":{"doc":"\ud83d\ude00\u0000\u2028\/"} } }],"cursor":"e-00000000000a.3","more":false})",
    R"({"changes":[{"seq":3,"collection":"c","id":"a\"b\\\u00e9\u0001\ud83d\ude00","updated_at":"2026-11-22T00:10:07.000001Z",)"
    R"("deleted":false,"doc":{}}],"cursor":"e-00000000000a.3","more":false})",
    // The order of members and white space do not count; of a member that stands there twice the last one does.
    R"( { "more" : false , "unknown" : [ { "doc" : { } } ] , "cursor" : "e-00000000000a.3" , "changes" : [ )"
    R"({ "doc" : {"n":1} , "id" : "q" , "id" : "r" , "collection" : "c" , "seq" : 3 , "updated_at" : "2026-11-22T00:10:07.004670Z" } ] } )",
    // Stamps with fewer digits, as an importer may have made them.
    R"({"changes":[{"seq":3,"collection":"c","id":"r","updated_at":"2026-11-22T00:10:07Z","deleted":false,"doc":{}},)"
    R"({"seq":4,"collection":"c","id":"s","updated_at":"0001-01-01T00:00:00.12Z","deleted":false,"doc":{}}],)"
    R"("cursor":"e-00000000000a.4","more":false})",
    // Damaged records: in the page, beside it, and of nobody.
    R"({"changes":[{"seq":3,"collection":"c","id":"r","damaged":true}],"cursor":"e-00000000000a.3","more":false,)"
    R"("damaged":[{"seq":1,"collection":"c","id":"s","damaged":true,"replaced":true},{"seq":2,"damaged":true},{"seq":2}]})",
    // A document with what another hub may have let in.
    R"({"changes":[{"seq":3,"collection":"c","id":"r","updated_at":"2026-11-22T00:10:07.004670Z","deleted":true,"doc":5}],)"
    R"("cursor":"e-00000000000a.3","more":false})",
    // What no hub sends.
    R"({"changes":[{"seq":3,"collection":"c","id":"r","updated_at":"2026-11-22T00:10:07.004670Z","deleted":false,)"
    R"("doc":{"half":"\ud83d"}}],"cursor":"e-00000000000a.3","more":false})",
    R"({"changes":[{"seq":3,"collection":"c","id":"r","updated_at":"2026-11-22T00:10:07.004670Z","deleted":false,)"
    R"("doc":{"half":"\ude00\ud83d"}}],"cursor":"e-00000000000a.3","more":false})",
    R"({"changes":[{"seq":3,"collection":"c","id":"\uDC00","updated_at":"2026-11-22T00:10:07.004670Z","deleted":false,)"
    R"("doc":{}}],"cursor":"e-00000000000a.3","more":false})",
    R"({"changes":[{"seq":3,"collection":"c","id":"r","updated_at":"2026-11-22T00:10:07.004670Z","deleted":false,)"
    R"("doc":{"text":"\\ud83d is no escape"}}],"cursor":"e-00000000000a.3","more":false})",
    R"({"changes":[{"seq":3,"collection":"c","id":"r","updated_at":"2026-11-22T00:10:07.004670Z","deleted":false,"doc":{"a":1})",
    R"({"changes":[{"seq":3,"collection":"c","id":"r","updated_at":"2026-11-22T00:10:07.004670Z","deleted":false,"doc":{"a":}}],)"
    R"("cursor":"e-00000000000a.3","more":false})",
    R"({"changes":[{"seq":3,"collection":"c","id":"r","updated_at":"2026-11-22T00:10:07.004670Z","deleted":false,"doc":[1]}],)"
    R"("cursor":"e-00000000000a.3","more":false})",
    R"({"changes":[{"seq":3,"collection":"c","id":"r","updated_at":"2026-11-22T00:10:07.004670Z","deleted":false}],)"
    R"("cursor":"e-00000000000a.3","more":false})",
    R"({"changes":[{"seq":3,"collection":"c","id":"r","updated_at":"yesterday","deleted":false,"doc":{}}],)"
    R"("cursor":"e-00000000000a.3","more":false})",
    R"({"changes":[{"seq":"3","collection":"c","id":"r","updated_at":"2026-11-22T00:10:07.004670Z","deleted":false,"doc":{}}],)"
    R"("cursor":"e-00000000000a.3","more":false})",
    R"({"changes":[{"collection":"c","id":"r","updated_at":"2026-11-22T00:10:07.004670Z","deleted":false,"doc":{}}],)"
    R"("cursor":"e-00000000000a.3","more":false})",
    R"({"changes":[{"seq":3,"collection":1,"id":"r","updated_at":"2026-11-22T00:10:07.004670Z","deleted":false,"doc":{}}],)"
    R"("cursor":"e-00000000000a.3","more":false})",
    R"({"changes":[5],"cursor":"e-00000000000a.3","more":false})", R"({"changes":[],"cursor":"0","more":false})",
    R"({"changes":[],"cursor":"nonsense","more":false})", R"({"changes":[],"cursor":"e-00000000000a.2","more":"no"})",
    R"({"changes":{},"cursor":"e-00000000000a.2","more":false})", R"({"cursor":"e-00000000000a.2","more":false})",
    R"([{"changes":[],"cursor":"e-00000000000a.2","more":false}])", "<html><body>Log in to this network</body></html>",
    ""};

/// Answers to a push of kOps ops.
constexpr std::array kPushAnswers = {
    R"({"cursor":"e-00000000000a.4","results":[{"status":"applied","seq":3},{"status":"noop","seq":2}]})",
    R"({"cursor":"e-00000000000a.4","results":[{"status":"applied","seq":3,"updated_at":"2026-11-22T00:10:07.000000Z",)"
    R"("clock":{"sent":"2035-01-01T00:00:00.000000Z","used":"2026-11-22T00:10:07.000000Z"}},{"status":"applied","seq":4}]})",
    R"({"cursor":"e-00000000000a.4","results":[{"status":"stale","seq":1,"record":{"seq":1,"collection":"c","id":"r",)"
    R"("updated_at":"2026-11-22T00:10:07.000000Z","deleted":false,"doc":{"n":1.0}}},)"
    R"({"status":"merged","seq":4,"record":{"seq":4,"collection":"c","id":"s","updated_at":"2026-11-22T00:10:07.000000Z",)"
    R"("deleted":true}}]})",
    R"({"cursor":"e-00000000000a.4","results":[{"status":"refused","error":{"code":"invalid_document","detail":"bad \"it\""}},)"
    R"({"status":"stale","seq":2}]})",
    R"({"cursor":"e-00000000000a.4","results":[{"status":"refused"},{"status":"refused","error":"quota"}]})",
    // What no hub sends.
    R"({"cursor":"e-00000000000a.4","results":[{"status":"applied"},{"status":"noop","seq":2}]})",
    R"({"cursor":"e-00000000000a.4","results":[{"status":"queued","seq":3},{"status":"noop","seq":2}]})",
    R"({"cursor":"e-00000000000a.4","results":[{"seq":3},{"status":"noop","seq":2}]})",
    R"({"cursor":"e-00000000000a.4","results":[{"status":"applied","seq":3,"updated_at":"noon"},{"status":"noop","seq":2}]})",
    R"({"cursor":"e-00000000000a.4","results":[{"status":"stale","seq":3,"record":{"id":"r"}},{"status":"noop","seq":2}]})",
    R"({"cursor":"e-00000000000a.4","results":[{"status":"noop","seq":1},{"status":"noop","seq":2},{"status":"noop","seq":3}]})",
    R"({"cursor":"e-00000000000a.4","results":{}})",
    R"({"results":[{"status":"noop","seq":1},{"status":"noop","seq":2}]})",
    R"({"cursor":"","results":[{"status":"noop","seq":1},{"status":"noop","seq":2}]})",
    R"({"cursor":"e-00000000000a.4","results":[{"status":"noop","seq":1},{"status":"noop","se)"};

std::string_view name_of(Verdict::Status status) {
  switch (status) {
    case Verdict::Status::applied: return "applied";
    case Verdict::Status::noop: return "noop";
    case Verdict::Status::stale: return "stale";
    case Verdict::Status::merged: return "merged";
    case Verdict::Status::refused: return "refused";
  }
  return "";
}

std::string version_object(const HubVersion& version) {
  std::string out;
  JsonWriter(out)
      .begin_object()
      .string("collection", version.collection)
      .string("id", version.id)
      .raw("seq", json_number(version.seq.value))
      .string("updated_at", format_time(version.updated_at))
      .boolean("deleted", version.deleted)
      .string("doc", version.doc)
      .end_object();
  return out;
}

/// Ports need not have the words.
void write_fault(VectorFile& file, JsonWriter& writer, const Error& error) {
  writer.string("fault", error.text);
  file.count("fault: " + error.text);
}

void add_cursor(VectorFile& file, std::string_view text) {
  std::string line;
  JsonWriter writer(line);
  writer.begin_object().string("read", "cursor").string("text", text).name("then");
  const auto cursor = parse_cursor(text);
  file.count(cursor ? "a cursor" : "no cursor");
  if (cursor) {
    writer.begin_object()
        .string("epoch", cursor->epoch)
        .raw("seq", json_number(cursor->seq.value))
        .string("incarnation", cursor->incarnation.value == 0 ? "" : to_text(cursor->incarnation))
        .raw("knows_through", json_number(cursor->knows_through().value))
        .string("history", cursor->history())
        .string("text", cursor_text(*cursor))
        .end_object();
  } else {
    writer.null();
  }
  writer.end_object();
  file.add(std::move(line));
}

void add_page(VectorFile& file, std::string_view body, std::int64_t limit) {
  const Cursor since = parse_cursor("e-00000000000a.2").value_or(Cursor{});
  std::string line;
  JsonWriter writer(line);
  writer.begin_object()
      .string("read", "page")
      .string("since", cursor_text(since))
      .integer("limit", limit)
      .string("body", body)
      .name("then")
      .begin_object();
  const auto page = replica::parse_page(std::string(body), since, limit);
  if (page) {
    writer.string("cursor", cursor_text(page->cursor)).boolean("more", page->more).name("versions").begin_array();
    for (const HubVersion& version : page->versions) writer.raw(version_object(version));
    writer.end_array().name("damaged").begin_array();
    for (const DamagedRecord& lost : page->damaged) {
      writer.begin_object()
          .string("collection", lost.collection)
          .string("id", lost.id)
          .raw("seq", json_number(lost.seq.value))
          .boolean("replaced", lost.is_replaced)
          .end_object();
      file.count("a damaged record");
    }
    writer.end_array();
    file.count("a page");
  } else {
    write_fault(file, writer, page.error());
  }
  writer.end_object().end_object();
  file.add(std::move(line));
}

void add_push_answer(VectorFile& file, std::string_view body) {
  std::string line;
  JsonWriter writer(line);
  writer.begin_object()
      .string("read", "push answer")
      .integer("ops", static_cast<std::int64_t>(kOps))
      .string("body", body)
      .name("then")
      .begin_object();
  const auto answer = replica::parse_push_answer(std::string(body), kOps);
  if (answer) {
    writer.string("cursor", cursor_text(answer->cursor)).name("verdicts").begin_array();
    for (const Verdict& verdict : answer->verdicts) {
      file.count("verdict: " + std::string(name_of(verdict.status)));
      writer.begin_object().string("status", name_of(verdict.status)).raw("seq", json_number(verdict.seq.value));
      if (verdict.updated_at) writer.string("updated_at", format_time(*verdict.updated_at));
      if (verdict.version) writer.raw("version", version_object(*verdict.version));
      writer.string("code", verdict.code).string("detail", verdict.detail).end_object();
    }
    writer.end_array();
  } else {
    write_fault(file, writer, answer.error());
  }
  writer.end_object().end_object();
  file.add(std::move(line));
}

struct OpToSend {
  Record record;
  Seq base;
};

OpToSend op_to_send(std::string id, Timestamp at, std::string doc, std::int64_t base) {
  OpToSend op;
  op.record.collection = "c";
  op.record.id = std::move(id);
  op.record.updated_at = at;
  op.record.deleted = doc.empty();
  op.record.doc = std::move(doc);
  op.base = {base};
  return op;
}

void add_push(VectorFile& file, std::string_view space, std::string_view history, std::string_view known,
              const std::vector<OpToSend>& ops) {
  std::string line;
  JsonWriter writer(line);
  writer.begin_object()
      .string("write", "push")
      .string("space", space)
      .string("history", history)
      .string("known", known)
      .name("ops")
      .begin_array();
  std::string texts;
  for (const OpToSend& op : ops) {
    replica::append_op(texts, op.record, op.base);
    writer.begin_object()
        .string("collection", op.record.collection)
        .string("id", op.record.id)
        .string("updated_at", format_time(op.record.updated_at))
        .boolean("deleted", op.record.deleted)
        .string("doc", op.record.doc)
        .raw("base", json_number(op.base.value))
        .end_object();
  }
  const auto request = replica::make_push(space, history, parse_cursor(known).value_or(Cursor{}), texts);
  writer.end_array()
      .name("then")
      .begin_object()
      .string("target", request.target)
      .string("body", request.body)
      .end_object()
      .end_object();
  file.add(std::move(line));
  file.count("a push");
}

void add_pull(VectorFile& file, std::string_view space, std::string_view since, std::string_view known,
              std::int64_t limit) {
  const auto request =
      replica::make_pull(space, parse_cursor(since).value_or(Cursor{}), parse_cursor(known).value_or(Cursor{}), limit);
  std::string line;
  JsonWriter(line)
      .begin_object()
      .string("write", "pull")
      .string("space", space)
      .string("since", since)
      .string("known", known)
      .integer("limit", limit)
      .string("then", request.target)
      .end_object();
  file.add(std::move(line));
  file.count("a pull");
}

void add_requests(VectorFile& file) {
  add_pull(file, "notes", "0", "0", 2000);
  add_pull(file, "notes", "e-00000000000a.4", "e-00000000000a.4", 500);
  add_pull(file, "notes", "e-00000000000a.4", "e-00000000000a.9", 1);
  add_pull(file, "kernle/claire", "e-00000000000a.4.0.9", "e-00000000000a.4.0.9", 500);
  add_pull(file, "@7/\xc3\xa9t\xc3\xa9 a+b", "0", "e.3", 500);
  const Timestamp at{1'795'306'207'004'670};
  add_push(file, "notes", "", "0", {op_to_send("r", at, R"({"a":1.0})", 0)});
  add_push(file, "notes", "e-00000000000a", "e-00000000000a.9",
           {op_to_send("r", at, R"({ "big" : 9007199254740993 })", 7), op_to_send("s", at.plus_micros(1), "", 8)});
  add_push(file, "@7/\xc3\xa9t\xc3\xa9", "e", "e.1",
           {op_to_send("a\"b\\c/d\n\r\t\x01\x1f \xc3\xa9\xf0\x9f\x98\x80", at, "{}", 0)});
  // Times before 1970, of the first year, and beyond what a double counts in microseconds.
  add_push(file, "notes", "", "0",
           {op_to_send("a", {-1}, "{}", 0), op_to_send("b", {0}, "{}", 0), op_to_send("c", kTimestampMin, "{}", 0),
            op_to_send("d", kTimestampMin.plus_micros(1), "{}", 0), op_to_send("e", kTimestampMax, "{}", 0),
            op_to_send("f", {1'234'567'890'000'009}, "", 0)});
}

}  // namespace

VectorFile make_wire_vectors() {
  VectorFile file("wire.ndjson");
  for (const std::string_view text : kCursors) add_cursor(file, text);
  for (const std::string_view body : kPages) add_page(file, body, kLimit);
  // More than was asked for, with what a hub may list beside it.
  std::string many = R"({"cursor":"e-00000000000a.9","more":false,"changes":[)";
  for (int i = 0; i < 2; ++i) many += R"({"seq":3,"damaged":true},)";
  many += R"({"seq":3,"damaged":true}],"damaged":[)";
  for (int i = 0; i < 500; ++i) many += "5,";
  add_page(file, many + "5]}", kLimit);
  add_page(file, many + "5]}", kLimit + 1);
  for (const std::string_view body : kPushAnswers) add_push_answer(file, body);
  add_requests(file);

  for (const char* status : {"applied", "noop", "stale", "merged", "refused"}) {
    file.require(std::string("verdict: ") + status);
  }
  for (const char* fault :
       {"it is not a JSON object", "it is not a page of changes", "a record is incomplete", "a record has no document",
        "it has more records than were asked for", "no verdicts", "a result has no seq", "a result has no proper time",
        "unknown status 'queued' of a result", "it has more results than the push had ops"}) {
    file.require(std::string("fault: invalid answer from the hub: ") + fault);
  }
  file.require("a damaged record", 3);
  file.require("no cursor", 5);
  return file;
}

}  // namespace syncline::vectors
