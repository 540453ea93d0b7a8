// POST /v1/spaces/{space}/push: many ops, one commit, one verdict each.
//
// Needs write. Errors: 400 for another body, 410 for the epoch of another history, 413 for too many ops, 422 for a
// reused Idempotency-Key; an op that cannot be stored is refused in the answer instead. Changes the records of the
// space.
#include <algorithm>
#include <array>
#include <deque>

#include "api/idempotency.hpp"
#include "api/native/record_json.hpp"
#include "api/native/routes.hpp"
#include "base/text.hpp"

namespace syncline::native {
namespace {

/// Documents of standing versions in one answer; beyond it, verdicts come without their record.
constexpr std::size_t kAnswerRecordBytesMax = 32UL << 20U;

/// One op as it came: either what to apply or why not.
struct ParsedOp {
  Op op;
  std::optional<Error> refusal;
};

/// A push in progress. Owns the body that the ops point into.
struct Push {
  api::CallPtr call;
  std::deque<std::string> texts;  // unescaped strings that ops point into
  /// The history that the ops' `base` belong to, and the newest cursor that the client was given; empty if it does not
  /// say.
  Cursor history;
  Cursor known;
  std::vector<ParsedOp> ops;
  std::vector<OpResult> results;
  std::optional<Receipt> replayed;
  api::Idempotency idempotency;
  bool quiet = false;
  Docs docs = Docs::values;
};

Error refusal(std::string text) { return {ErrorCode::invalid_argument, std::move(text)}; }

Result<std::string_view> read_text(Push& push, JsonView value, std::string_view name) {
  if (const auto plain = value.as_plain_string()) return *plain;
  auto text = value.as_string();
  if (!text) return std::unexpected(refusal(std::string(name) + " must be a string"));
  return push.texts.emplace_back(*std::move(text));
}

Result<Timestamp> read_stamp(JsonView value) {
  if (const auto micros = value.as_integer()) return Timestamp{*micros};
  const auto text = value.as_string();
  auto time = text ? parse_time(*text) : Result<Timestamp>(std::unexpected(refusal("")));
  if (!time) return std::unexpected(refusal("updated_at must be an RFC 3339 time or integer microseconds"));
  return time;
}

Result<> read_document(Op& op, JsonView doc, bool has_doubtful_values) {
  const auto refuse = [](std::string text) { return fail(ErrorCode::invalid_document, std::move(text)); };
  if (!doc.is_object()) return refuse("doc must be a JSON object");
  if (doc.depth() > limits::kDocumentDepthMax) {
    return refuse("doc is nested deeper than " + std::to_string(limits::kDocumentDepthMax));
  }
  if (has_doubtful_values) {
    std::string copy(doc.raw());
    const JsonCheck check = check_json(copy, limits::kDocumentDepthMax);
    if (check.fault != JsonFault::none) return refuse("doc has " + check.detail);
  }
  op.doc = doc.raw();
  return {};
}

constexpr std::array<std::string_view, 6> kOpMembers = {"collection", "id", "updated_at", "base", "doc", "deleted"};

/// A member that is misspelt would be lost, and with it what the client meant.
Error unknown_op_member(std::string_view name) {
  const std::string_view nearest = nearest_word(name, kOpMembers);
  return refusal(
      "unknown member '" + std::string(cut_utf8(name, limits::kErrorTextBytesMax)) + "' of an op; " +
      (nearest.empty() ? "an op has " + join(kOpMembers, ", ") : "did you mean '" + std::string(nearest) + "'?"));
}

/// `has_doubtful_values`: somewhere in the body is a value that cannot be stored; each op is then looked at alone.
Result<Op> read_op(Push& push, JsonView json, bool has_doubtful_values) {
  if (!json.is_object()) return std::unexpected(refusal("an op must be a JSON object"));
  Op op;
  bool has_collection = false;
  bool has_id = false;
  std::optional<JsonView> doc;
  Result<> fault;
  const auto take = [&](auto& into, auto value) {
    if (value) {
      into = *value;
    } else if (fault) {
      fault = std::unexpected(value.error());
    }
  };
  json.for_each_member([&](std::string_view name, JsonView value) {
    const bool is_null = value.kind() == JsonKind::null;
    if (name == "collection") {
      has_collection = true;
      take(op.collection, read_text(push, value, name));
    } else if (name == "id") {
      has_id = true;
      take(op.id, read_text(push, value, name));
    } else if (name == "updated_at" && !is_null) {
      take(op.updated_at, read_stamp(value));
    } else if (name == "base" && !is_null) {
      const auto base = value.as_integer();
      if (base && *base >= 0) {
        op.base = Seq{*base};
      } else if (fault) {
        fault = std::unexpected(refusal("base must be a seq"));
      }
    } else if (name == "deleted") {
      const auto deleted = value.as_boolean();
      if (deleted) op.deleted = *deleted;
      if (!deleted && fault) fault = std::unexpected(refusal("deleted must be true or false"));
    } else if (name == "doc" && !is_null) {
      doc = value;
    } else if (fault && std::ranges::find(kOpMembers, name) == kOpMembers.end()) {
      fault = std::unexpected(unknown_op_member(name));
    }
  });
  if (!fault) return std::unexpected(fault.error());
  if (!has_collection || !has_id) {
    return std::unexpected(refusal(has_collection ? "id is missing" : "collection is missing"));
  }
  if (has_doubtful_values) {
    std::string head(json.raw());
    if (doc) head.replace(static_cast<std::size_t>(doc->raw().data() - json.raw().data()), doc->raw().size(), "0");
    if (check_json(head, limits::kBodyDepthMax).fault != JsonFault::none) {
      return std::unexpected(refusal("the op has a value that cannot be stored"));
    }
  }
  if (op.deleted) return op;
  if (!doc) return std::unexpected(refusal("an op needs doc, or deleted: true"));
  CHECK_OK(read_document(op, *doc, has_doubtful_values));
  return op;
}

Result<> read_history(Push& push, JsonView json) {
  if (const auto epoch = json.find_set("epoch")) {
    const auto text = epoch->as_string();
    if (!text) return fail(ErrorCode::invalid_argument, "epoch must be a string");
    // What is no name of a history is none of this store's.
    if (!text->empty()) push.history = parse_history(*text).value_or(Cursor{.epoch = *text, .seq = {}});
  }
  if (const auto known = json.find_set("known")) {
    TRY(push.known, parse_cursor(known->as_string().value_or("?")));
  }
  return {};
}

Result<> read_body(Push& push) {
  std::string& body = push.call->body();
  const JsonCheck check = check_json(body, limits::kBodyDepthMax);
  const bool doubtful = check.fault == JsonFault::unsupported_value;
  if (!doubtful) CHECK_OK(api::error_of(check));
  const JsonView json(body);
  const auto ops = json.find("ops");
  if (!ops || !ops->is_array()) return fail(ErrorCode::invalid_argument, "the body must be {\"ops\": [...]}");
  CHECK_OK(read_history(push, json));
  ops->for_each_element([&](JsonView element) {
    if (push.ops.size() > limits::kPushOpsMax) return;
    auto op = read_op(push, element, doubtful);
    if (op) {
      push.ops.push_back({*op, std::nullopt});
    } else {
      push.ops.push_back({{}, op.error()});
    }
  });
  if (push.ops.size() > limits::kPushOpsMax) {
    return fail(ErrorCode::too_large, "a push may have " + std::to_string(limits::kPushOpsMax) + " ops");
  }
  return {};
}

/// The stamp that the hub gave to a version that it stored without its record in the answer.
bool has_other_stamp(const OpResult& result, const Op& op) {
  const bool took_it = result.status == OpStatus::applied || result.status == OpStatus::noop;
  return took_it && op.updated_at && *op.updated_at != result.updated_at;
}

void append_result(std::string& out, const OpResult& result, const Op& op, std::optional<std::size_t> index,
                   Docs docs) {
  JsonWriter writer(out);
  writer.begin_object();
  if (index) writer.integer("index", static_cast<std::int64_t>(*index));
  writer.string("status", to_text(result.status));
  if (result.status != OpStatus::refused) writer.integer("seq", result.seq.value);
  if (has_other_stamp(result, op)) writer.string("updated_at", format_time(result.updated_at));
  if (result.record) {
    std::string record;
    append_record(record, view_of(*result.record), docs);
    writer.raw("record", record);
  }
  if (result.error) {
    writer.name("error")
        .begin_object()
        .string("code", api::code_of(result.error->code))
        .string("detail", result.error->text)
        .end_object();
  }
  if (result.sent) {
    writer.name("clock")
        .begin_object()
        .string("sent", format_time(*result.sent))
        .string("used", format_time(result.used))
        .end_object();
  }
  writer.end_object();
}

std::string answer(const Push& push, const Cursor& cursor) {
  std::string out = "{\"cursor\":\"" + cursor.to_text() + "\",\"results\":[";
  bool first = true;
  for (std::size_t i = 0; i < push.results.size(); ++i) {
    const OpResult& result = push.results[i];
    const Op& op = push.ops[i].op;
    if (push.quiet && result.status == OpStatus::applied && !result.sent && !has_other_stamp(result, op)) continue;
    if (!first) out += ',';
    first = false;
    append_result(out, result, op, push.quiet ? std::optional(i) : std::nullopt, push.docs);
  }
  return out + "]}";
}

Reads reads_of(const Push& push) {
  Reads reads;
  push.idempotency.declare(reads);
  reads.records.reserve(push.ops.size());
  for (const ParsedOp& parsed : push.ops) {
    if (!parsed.refusal) reads.records.push_back({std::string(parsed.op.collection), std::string(parsed.op.id)});
  }
  return reads;
}

Result<> apply_all(Push& push, SpaceWriter& writer, const Spaces& spaces) {
  push.results.clear();
  TRY(push.replayed, push.idempotency.find(writer.txn()));
  if (push.replayed) return {};
  push.results.reserve(push.ops.size());
  std::size_t record_bytes = 0;
  for (const ParsedOp& parsed : push.ops) {
    if (parsed.refusal) {
      push.results.emplace_back().error = parsed.refusal;
    } else {
      TRY(OpResult result, writer.apply(parsed.op, SpaceWriter::Caller::generic));
      if (result.record) {
        record_bytes += result.record->doc.size();
        if (record_bytes > kAnswerRecordBytesMax) result.record.reset();  // the client pulls it
      }
      push.results.push_back(std::move(result));
    }
  }
  if (push.idempotency.is_active()) {
    const SpaceInfo& info = writer.txn().info();
    push.idempotency.keep(writer.txn(), 200, answer(push, spaces.cursor(info.name, info.head)));
  }
  return {};
}

}  // namespace

void Face::push(const api::CallPtr& call) {
  const SpaceName space = call->space();
  auto state = std::make_shared<Push>();
  state->call = call;
  const auto quiet = call->query("quiet");
  state->quiet = quiet && *quiet != "0" && *quiet != "false";
  TRY_CALL(call, state->docs, docs_of(*call));
  CHECK_CALL(call, read_body(*state));
  Seq newest_base;
  for (const ParsedOp& parsed : state->ops) newest_base = std::max(newest_base, parsed.op.base.value_or(Seq{}));
  for (const Result<>& checked :
       {spaces_.check_history_of(space, state->history, newest_base), spaces_.check(space, state->known)}) {
    if (!checked) return fail_with_cursor(call, checked.error(), spaces_.cursor_at_head(space));
  }
  TRY_CALL(call, state->idempotency, api::Idempotency::of(*call));
  spaces_.write(
      space, call->principal().key, [state] { return reads_of(*state); },
      [state, this](SpaceWriter& writer) { return apply_all(*state, writer, spaces_); },
      [state](Result<Cursor> cursor) {
        if (!cursor) return state->call->fail(cursor.error());
        if (state->replayed) return state->call->respond(api::replay(*std::move(state->replayed)));
        state->call->respond_json(200, answer(*state, *cursor));
      });
}

}  // namespace syncline::native
