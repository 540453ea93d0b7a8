#include "replica/native_wire.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"
#include "replica/answer.hpp"

namespace syncline::replica {
namespace {

/// What hubs list of damaged records beside a page.
constexpr std::int64_t kDamagedListedMax = 500;

std::string path_of(std::string_view space) { return "/v1/spaces/" + percent_encode(space); }

Result<HubVersion> read_version(std::deque<std::string>& texts, JsonView json) {
  HubVersion version;
  const auto collection = text_in(texts, json, "collection");
  const auto id = text_in(texts, json, "id");
  const auto seq = json.find("seq");
  const auto stamp = parse_time(json.text_of("updated_at"));
  const auto deleted = json.find("deleted");
  const auto doc = json.find("doc");
  if (!collection || !id || !seq || !seq->as_integer() || !stamp) return not_understood("a record is incomplete");
  version.collection = *collection;
  version.id = *id;
  version.seq = {*seq->as_integer()};
  version.updated_at = *stamp;
  version.deleted = deleted && deleted->as_boolean().value_or(false);
  if (!version.deleted && (!doc || !doc->is_object())) return not_understood("a record has no document");
  if (doc && !version.deleted) version.doc = doc->raw();
  return version;
}

/// Nothing if it is not said to be damaged.
std::optional<DamagedRecord> read_damaged(JsonView json) {
  const auto damaged = json.find("damaged");
  if (!damaged || !damaged->as_boolean().value_or(false)) return std::nullopt;
  const auto seq = json.find("seq");
  const auto replaced = json.find("replaced");
  return DamagedRecord{.collection = json.text_of("collection"),
                       .id = json.text_of("id"),
                       .seq = {seq ? seq->as_integer().value_or(0) : 0},
                       .is_replaced = replaced && replaced->as_boolean().value_or(false)};
}

Result<Verdict> read_verdict(std::deque<std::string>& texts, JsonView json) {
  Verdict verdict;
  const std::string status = json.text_of("status");
  if (status == "applied") {
    verdict.status = Verdict::Status::applied;
  } else if (status == "noop") {
    verdict.status = Verdict::Status::noop;
  } else if (status == "stale") {
    verdict.status = Verdict::Status::stale;
  } else if (status == "merged") {
    verdict.status = Verdict::Status::merged;
  } else if (status != "refused") {
    return not_understood("unknown status '" + status + "' of a result");
  }
  const auto seq = json.find("seq");
  if (verdict.status != Verdict::Status::refused) {
    if (!seq || !seq->as_integer()) return not_understood("a result has no seq");
    verdict.seq = {*seq->as_integer()};
  }
  if (json.find("updated_at")) {
    const auto stamp = parse_time(json.text_of("updated_at"));
    // Not parse_time()'s own error, which would read as if the hub had refused the push.
    if (!stamp) return not_understood("a result has no proper time");
    verdict.updated_at = *stamp;
  }
  if (const auto record = json.find("record")) {
    TRY(verdict.version, read_version(texts, *record));
  }
  if (const auto error = json.find("error")) {
    verdict.code = error->text_of("code");
    verdict.detail = error->text_of("detail");
  }
  return verdict;
}

}  // namespace

void append_op(std::string& out, const Record& record, Seq base) {
  if (!out.empty()) out += ',';
  JsonWriter writer(out);
  writer.begin_object()
      .string("collection", record.collection)
      .string("id", record.id)
      .integer("updated_at", record.updated_at.micros)
      .integer("base", base.value);
  if (record.deleted) {
    writer.boolean("deleted", true);
  } else {
    writer.raw("doc", record.doc);
  }
  writer.end_object();
}

http::ClientRequest make_pull(std::string_view space, const Cursor& since, const Cursor& known, std::int64_t limit) {
  std::string target = path_of(space) + "/changes?since=" + (since.epoch.empty() ? "0" : since.to_text());
  // A reader that knows no more than its cursor has nothing to add.
  if (!known.epoch.empty() && known.to_text() != since.to_text()) target += "&known=" + known.to_text();
  http::ClientRequest request{http::Method::get, target + "&limit=" + std::to_string(limit), "", {}};
  request.answer_bytes_max = limits::kAnswerBytesPage;
  return request;
}

http::ClientRequest make_push(std::string_view space, std::string_view history, const Cursor& known,
                              std::string_view ops) {
  std::string body = "{";
  if (!history.empty()) body.append("\"epoch\":\"").append(history).append("\",");
  if (!known.epoch.empty()) body.append("\"known\":\"").append(known.to_text()).append("\",");
  body.append("\"ops\":[").append(ops).append("]}");
  http::ClientRequest request{http::Method::post, path_of(space) + "/push", std::move(body), {}};
  request.answer_bytes_max = limits::kAnswerBytesPage;  // with the versions that have won
  return request;
}

Result<Page> parse_page(std::string body, const Cursor& since, std::int64_t limit) {
  Page page;
  TRY(page.body, check_answer(std::move(body)));
  const JsonView json(*page.body);
  page.since = since;
  const auto cursor = parse_cursor(json.text_of("cursor"));
  const auto more = json.find("more");
  const auto changes = json.find("changes");
  if (!cursor || cursor->epoch.empty() || !more || !more->as_boolean() || !changes || !changes->is_array()) {
    return not_understood("it is not a page of changes");
  }
  page.cursor = *cursor;
  page.more = *more->as_boolean();
  Result<> fault;
  // A small element takes more memory read than written: a page of more than was asked for is not read to the end.
  std::int64_t left = limit + kDamagedListedMax;
  const auto is_full = [&] {
    if (fault && --left < 0) fault = not_understood("it has more records than were asked for");
    return !fault;
  };
  changes->for_each_element([&](JsonView element) {
    if (is_full()) return;
    if (auto damaged = read_damaged(element)) {
      page.damaged.push_back(*std::move(damaged));
      return;
    }
    auto version = read_version(page.texts, element);
    if (version) {
      page.versions.push_back(*version);
    } else {
      fault = std::unexpected(version.error());
    }
  });
  if (const auto damaged = json.find("damaged")) {
    damaged->for_each_element([&](JsonView element) {
      if (is_full()) return;
      if (auto one = read_damaged(element)) page.damaged.push_back(*std::move(one));
    });
  }
  if (!fault) return std::unexpected(fault.error());
  return page;
}

Result<PushAnswer> parse_push_answer(std::string body, std::size_t ops) {
  PushAnswer answer;
  TRY(answer.body, check_answer(std::move(body)));
  const JsonView json(*answer.body);
  const auto cursor = parse_cursor(json.text_of("cursor"));
  const auto results = json.find("results");
  if (!cursor || cursor->epoch.empty() || !results || !results->is_array()) return not_understood("no verdicts");
  answer.cursor = *cursor;
  Result<> fault;
  results->for_each_element([&](JsonView element) {
    if (fault && answer.verdicts.size() == ops) fault = not_understood("it has more results than the push had ops");
    if (!fault) return;
    auto verdict = read_verdict(answer.texts, element);
    if (verdict) {
      answer.verdicts.push_back(*std::move(verdict));
    } else {
      fault = std::unexpected(verdict.error());
    }
  });
  if (!fault) return std::unexpected(fault.error());
  return answer;
}

}  // namespace syncline::replica
