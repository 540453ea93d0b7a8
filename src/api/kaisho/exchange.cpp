#include "api/kaisho/exchange.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "replica/answer.hpp"

namespace syncline::kaisho {
namespace {

using replica::Batch;
using replica::check_answer;
using replica::error_of;
using replica::kStampGrainMicros;
using replica::not_understood;
using replica::post;
using replica::PullNext;
using replica::PushNext;
using replica::text_in;
using replica::Verdict;

constexpr std::string_view kBeginning = "1970-01-01T00:00:00Z";
/// As many as every server of that kind answers.
constexpr int kPageRows = 500;
/// Beside the cursors: the service had no resource for projects.
constexpr std::string_view kMissing = "missing";

bool is_timer(const Record& record) { return record.collection == entries().collection && is_running(record); }

/// What a start cannot say.
bool has_fields_beyond_start(const Record& entry) {
  const JsonView doc(entry.doc);
  const auto invoiced = doc.find("invoiced");
  return !doc.text_of("notes").empty() || !doc.text_of("project").empty() ||
         (invoiced && invoiced->as_boolean().value_or(false));
}

/// Services up to 1.7.3 lack projects.
bool may_be_missing(const Resource& resource) { return resource.collection == "projects"; }

/// A service that has more rows of one millisecond than it gives in a page would give the same page for ever. What it
/// has of that millisecond beyond the page cannot be had. Nothing for a cursor that is no time.
std::optional<std::string> skip_millisecond(const std::string& cursor) {
  log(LogLevel::warning, "rows_cannot_be_read", {{"stamped", cursor}});
  const auto at = parse_iso_or_utc_time(cursor);
  if (!at) return std::nullopt;
  return format_time(at->plus_micros(kStampGrainMicros));
}

/// A service that gives more rows than it was asked for is put up with, within reason: each takes memory.
constexpr std::size_t kPageRowsMax = 10UL * kPageRows;

/// A row as an op; nothing if it has no id or no stamp, for then there is nothing to go by.
std::optional<Op> read_row(const Resource& resource, JsonView row, std::deque<std::string>& texts) {
  const auto id = row.is_object() ? text_in(texts, row, "id") : std::nullopt;
  const auto stamp = row.is_object() ? row.find("updated_at") : std::nullopt;
  const auto updated_at = stamp ? parse_client_time(*stamp) : std::nullopt;
  if (!id || !updated_at) {
    log(LogLevel::warning, "row_not_taken", {{"collection", resource.collection}, {"id", id.value_or("")}});
    return std::nullopt;
  }
  const auto deleted_at = row.find_set("deleted_at");
  return Op{.collection = resource.collection,
            .id = *id,
            .updated_at = std::clamp(*updated_at, kTimestampMin, kStampMax),
            .deleted = deleted_at.has_value(),
            .doc = row.raw()};
}

}  // namespace

bool CloudExchange::carries(std::string_view collection) const {
  const auto resource = std::ranges::find(resources(), collection, &Resource::collection);
  if (resource == resources().end()) return false;
  return !may_be_missing(*resource) || !positions_.find(kMissing);
}

http::ClientRequest CloudExchange::ask_changes() const {
  std::string since = positions_.text_of(resource().collection);
  if (since.empty()) since = kBeginning;
  http::ClientRequest request{
      http::Method::get,
      std::string(resource().changes_path) + "?since=" + percent_encode(since) + "&limit=" + std::to_string(kPageRows),
      "",
      {}};
  request.answer_bytes_max = limits::kAnswerBytesPage;
  return request;
}

http::ClientRequest CloudExchange::begin_pull() {
  at_ = 0;
  acknowledges_ = false;
  positions_ = JsonObject{JsonView(local_.positions())};
  return ask_changes();
}

PullNext CloudExchange::next_resource() {
  acknowledges_ = false;
  if (++at_ < resources().size()) return ask_changes();
  return PullOutcome{local_.cursor(), false};
}

Result<PullNext> CloudExchange::take_pull(const http::ClientResponse& response) {
  if (!acknowledges_) return take_changes(response);
  // What was taken is taken, whether the hub notes it or not.
  if (response.status == 401 || response.status >= 500) return std::unexpected(error_of(response));
  if (!has_more_) return next_resource();
  acknowledges_ = false;
  return ask_changes();
}

Result<PullNext> CloudExchange::take_changes(const http::ClientResponse& response) {
  if (response.status == 404 && may_be_missing(resource())) {
    positions_.set(kMissing, "true");
    CHECK_OK(local_.merge_in({}, positions_.to_text()));
    return next_resource();
  }
  if (response.status != 200) return std::unexpected(error_of(response));
  if (may_be_missing(resource()) && positions_.find(kMissing)) {
    // What was passed over meanwhile has to be offered.
    return fail(ErrorCode::epoch_changed, "the service now stores more resources");
  }
  TRY(const auto body, check_answer(response.body));
  const JsonView json(*body);
  const auto rows = json.find("entries");
  const std::string cursor = json.text_of("cursor");
  if (!rows || !rows->is_array() || cursor.empty()) return not_understood("it is not a page of rows");
  std::deque<std::string> texts;
  std::vector<Op> ops;
  std::string ids;
  std::size_t count = 0;
  rows->for_each_element([&](JsonView row) {
    const auto op = ++count > kPageRowsMax ? std::nullopt : read_row(resource(), row, texts);
    if (!op) return;
    ops.push_back(*op);
    if (!ids.empty()) ids += ',';
    append_json_string(ids, op->id);
  });
  if (count > kPageRowsMax) return not_understood("it has more rows than were asked for");
  const bool moves = cursor != positions_.text_of(resource().collection);
  const auto more = json.find("has_more");
  has_more_ = more && more->as_boolean().value_or(false);
  const auto next = moves || !has_more_ ? std::optional(cursor) : skip_millisecond(cursor);
  if (!next) return not_understood("it announces more rows, but its cursor does not advance");
  positions_.set_text(resource().collection, *next);
  CHECK_OK(local_.merge_in(ops, positions_.to_text()));
  const bool is_new = moves || has_more_;
  if (ops.empty() || !is_new) return has_more_ ? PullNext(ask_changes()) : next_resource();
  acknowledges_ = true;
  return post(resource().ack_path, "{\"ids\":[" + ids + "]}");
}

http::ClientRequest CloudExchange::begin_push(const Batch& batch) {
  parts_.clear();
  stamps_.clear();
  answer_ = {};
  answer_.cursor = local_.cursor();
  answer_.verdicts.resize(batch.items.size());
  for (Verdict& verdict : answer_.verdicts) verdict.status = Verdict::Status::applied;
  std::vector<Part> starts;
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    const Batch::Item& item = batch.items[i];
    // A timer that the hub knows already is changed like any other row.
    const bool is_new_timer = is_timer(item.record) && !item.base && !unstartable_.contains(item.record.id);
    if (is_new_timer) {
      starts.push_back({Part::Kind::start, &entries(), {i}});
      continue;
    }
    const auto known = std::ranges::find_if(parts_, [&](const Part& part) {
      return part.kind == Part::Kind::apply && part.resource->collection == item.record.collection;
    });
    if (known != parts_.end()) {
      known->items.push_back(i);
      continue;
    }
    const auto resource =
        std::ranges::find(resources(), std::string_view(item.record.collection), &Resource::collection);
    parts_.push_back({Part::Kind::apply, &*resource, {i}});
  }
  // Behind the rows: a start stops the timer before it, whose own end may be among them.
  parts_.insert(parts_.end(), starts.begin(), starts.end());
  return make_request(batch, parts_.front());
}

http::ClientRequest CloudExchange::make_request(const Batch& batch, const Part& part) const {
  if (part.kind == Part::Kind::start) {
    const Record& entry = batch.items[part.items.front()].record;
    const JsonObject doc{JsonView(entry.doc)};
    JsonObject start;
    start.set_text("id", entry.id);
    for (const std::string_view name : {"start", "customer", "description", "task_id", "contract"}) {
      if (const auto value = doc.find(name)) start.set(name, std::string(value->raw()));
    }
    http::ClientRequest request = post("/sync/active/start", start.to_text());
    request.answer_bytes_max = limits::kAnswerBytesDocument;  // the timer that runs then
    return request;
  }
  std::string body = R"({"entries":[)";
  for (const std::size_t i : part.items) {
    Record record = batch.items[i].record;
    if (const auto stamp = stamps_.find(i); stamp != stamps_.end()) record.updated_at = stamp->second;
    if (i != part.items.front()) body += ',';
    append_row(body, view_of(record));
  }
  return post(part.resource->apply_path, body + "]}");
}

Result<PushNext> CloudExchange::take_push(const Batch& batch, const http::ClientResponse& response) {
  const Part part = std::move(parts_.front());
  parts_.pop_front();
  CHECK_OK(part.kind == Part::Kind::start ? take_start(batch, part, response) : take_applied(batch, part, response));
  if (!parts_.empty()) return make_request(batch, parts_.front());
  return std::move(answer_);
}

Result<> CloudExchange::take_start(const Batch& batch, const Part& part, const http::ClientResponse& response) {
  const std::size_t i = part.items.front();
  const Record& entry = batch.items[i].record;
  Verdict& verdict = answer_.verdicts[i];
  if (response.status != 200 && response.status != 201) {
    const Error error = error_of(response);
    // There is such an entry already, and it has ended: it is a row like any other the next time.
    if (response.status == 500) unstartable_.insert(entry.id);
    if (error.code != ErrorCode::invalid_argument) return std::unexpected(error);
    verdict.status = Verdict::Status::refused;
    verdict.code = "invalid_argument";
    verdict.detail = error.text;
    return {};
  }
  TRY(const auto body, check_answer(response.body));
  const JsonView stands(*body);
  if (stands.text_of("id") != entry.id) {
    // Another timer began later. It comes with a pull, and this one is then stopped where that began.
    answer_.needs_pull = true;
    return {};
  }
  // The hub stamped the row itself: what follows must be later.
  const auto stamp = stands.find("updated_at");
  const auto stamped = stamp ? parse_client_time(*stamp) : std::nullopt;
  verdict.updated_at = stamped;
  if (!has_fields_beyond_start(entry)) return {};
  stamps_[i] = std::max(entry.updated_at, stamped.value_or(entry.updated_at).plus_micros(kStampGrainMicros));
  verdict.updated_at = stamps_[i];
  parts_.push_front({Part::Kind::apply, &entries(), {i}});
  return {};
}

Result<> CloudExchange::take_applied(const Batch& batch, const Part& part, const http::ClientResponse& response) {
  if (response.status != 200) return std::unexpected(error_of(response));
  TRY(const auto body, check_answer(response.body));
  const auto skipped = JsonView(*body).find("skipped");
  if (!skipped || !skipped->as_integer()) return not_understood("it does not list what was stored");
  // Somebody else's version may stand.
  answer_.needs_pull = answer_.needs_pull || *skipped->as_integer() > 0;
  const auto errors = JsonView(*body).find("errors");
  if (!errors || !errors->is_array()) return {};
  std::set<std::string> refused;
  errors->for_each_element([&](JsonView id) { refused.insert(id.as_string().value_or("")); });
  for (const std::size_t i : part.items) {
    if (!refused.contains(batch.items[i].record.id)) continue;
    answer_.verdicts[i].status = Verdict::Status::refused;
    answer_.verdicts[i].code = "not_stored";
    answer_.verdicts[i].detail = "the service could not store the row";
  }
  return {};
}

}  // namespace syncline::kaisho
