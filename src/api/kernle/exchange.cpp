#include "api/kernle/exchange.hpp"

#include <set>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "replica/answer.hpp"
#include "wire/kernle_operation.hpp"

namespace syncline::kernle {
namespace {

using replica::Batch;
using replica::check_answer;
using replica::error_of;
using replica::LocalSpace;
using replica::not_understood;
using replica::post;
using replica::PullNext;
using replica::PushAnswer;
using replica::PushNext;
using replica::Verdict;

/// The service stamps a change before it commits it, with the clock of whichever machine took it: a pull looks back so
/// far. What comes twice is the same again and changes nothing.
constexpr std::int64_t kLookBackMicros = 60'000'000;
/// Operations that are taken in one transaction.
constexpr std::size_t kTakenAtOnce = 2000;
/// Of the operations in one answer that cannot be taken; the others are counted.
constexpr std::int64_t kLeftOutNamed = 20;
/// Such a service gives all that an agent remembers in one answer.
constexpr std::size_t kMemoryBytesMax = 128UL << 20U;

/// The agent by both names that services have for it.
void append_agent(JsonWriter& writer, const LocalSpace& local) {
  const std::string_view agent = agent_of(local.name().name).value_or("");
  writer.string("stack_id", agent).string("agent_id", agent);
}

/// The first of the members that is there: services name them differently.
std::string first_text(JsonView object, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (std::string text = object.text_of(name); !text.empty()) return text;
  }
  return "";
}

std::string position_text(std::string_view since) {
  std::string text;
  JsonWriter(text).begin_object().string("since", since).end_object();
  return text;
}

}  // namespace

bool BackendExchange::carries(std::string_view collection) const { return find_table(collection) != nullptr; }

http::ClientRequest BackendExchange::ask(std::string_view path, std::string_view since) const {
  std::string body;
  JsonWriter writer(body);
  writer.begin_object();
  append_agent(writer, local_);
  if (!since.empty()) writer.string("since", since);
  writer.end_object();
  http::ClientRequest request = post(path, std::move(body));
  request.answer_bytes_max = kMemoryBytesMax;
  return request;
}

http::ClientRequest BackendExchange::begin_pull() {
  reads_all_ = false;
  next_since_.clear();
  return ask("/sync/pull", JsonView(local_.positions()).text_of("since"));
}

Result<> BackendExchange::take_operations(JsonView list, bool has_doubtful_values, bool reaches_end) {
  std::deque<std::string> texts;
  std::vector<Op> ops;
  std::int64_t left_out = 0;
  Result<> taken;
  bool has_merged = false;
  const auto merge = [&](const std::string& positions) {
    if (ops.empty() && !has_merged) return;
    if (taken) taken = local_.merge_in(ops, positions);
    has_merged = true;
    ops.clear();
    texts.clear();
  };
  list.for_each_element([&](JsonView element) {
    if (!taken) return;
    if (ops.size() == kTakenAtOnce) merge(local_.positions());
    const Operation operation = read_operation(element, texts, has_doubtful_values);
    if (!operation.refusal) return ops.push_back(operation.op);
    if (++left_out > kLeftOutNamed) return;
    log(LogLevel::warning, "operation_not_taken", {{"id", operation.id}, {"error", operation.refusal->text}});
  });
  merge(reaches_end ? position_text(next_since_) : local_.positions());
  if (left_out > kLeftOutNamed) log(LogLevel::warning, "operations_not_taken", {{"count", left_out}});
  return taken;
}

Result<PullNext> BackendExchange::take_pull(const http::ClientResponse& response) {
  if (response.status != 200) return std::unexpected(error_of(response));
  bool has_doubtful_values = false;
  TRY(const auto body, check_answer(response.body, &has_doubtful_values));
  const JsonView json(*body);
  const auto list = json.find("operations");
  if (!list || !list->is_array()) return not_understood("it has no list of operations");
  const auto server_time = parse_iso_or_utc_time(json.text_of("server_time"));
  if (!reads_all_ && server_time) next_since_ = format_time(server_time->plus_micros(-kLookBackMicros));
  const auto more = json.find("has_more");
  const bool is_cut = more && more->as_boolean().value_or(false);
  CHECK_OK(take_operations(*list, has_doubtful_values, (reads_all_ || !is_cut) && !next_since_.empty()));
  // It gives some of the changes, in no order, and no way to ask for the others.
  if (is_cut && !reads_all_) {
    reads_all_ = true;
    return ask("/sync/full", "");
  }
  return PullOutcome{local_.cursor(), false};
}

http::ClientRequest BackendExchange::begin_push(const Batch& batch) {
  std::string body;
  JsonWriter writer(body);
  writer.begin_object();
  append_agent(writer, local_);
  writer.name("operations").begin_array();
  for (const Batch::Item& item : batch.items) {
    writer.begin_object()
        .string("operation", item.record.deleted ? "delete" : "update")
        .string("table", item.record.collection)
        .string("record_id", item.record.id)
        .string("local_updated_at", format_time(item.record.updated_at))
        .integer("version", 1);
    if (!item.record.deleted) writer.raw("data", item.record.doc);
    writer.end_object();
  }
  writer.end_array().end_object();
  http::ClientRequest request = post("/sync/push", std::move(body));
  request.answer_bytes_max = limits::kAnswerBytesPage;  // it may repeat what it refused
  return request;
}

Result<PushNext> BackendExchange::take_push(const Batch& batch, const http::ClientResponse& response) {
  if (response.status != 200) return std::unexpected(error_of(response));
  TRY(const auto body, check_answer(response.body));
  const JsonView json(*body);
  const auto synced = json.find("synced");
  const auto count = synced ? synced->as_integer() : std::nullopt;
  std::map<std::pair<std::string, std::string>, std::string> refused;  // an empty table stands for any
  std::set<std::string_view> sent;
  for (const Batch::Item& item : batch.items) sent.insert(item.record.id);
  bool has_conflicts = false;
  if (const auto conflicts = json.find("conflicts"); conflicts && conflicts->is_array()) {
    conflicts->for_each_element([&](JsonView conflict) {
      has_conflicts = true;
      if (!sent.contains(conflict.text_of("record_id"))) return;
      const Table* known = find_table(first_text(conflict, {"table", "table_name"}));
      refused.emplace(std::pair(known == nullptr ? "" : std::string(known->name), conflict.text_of("record_id")),
                      first_text(conflict, {"error", "message", "reason"}));
    });
  }
  // As its own clients: a count that says nothing was stored is believed, one that is off by some is not looked into.
  if (!count || (*count == 0 && !has_conflicts)) return not_understood("it does not list what was stored");
  PushAnswer answer;
  answer.cursor = local_.cursor();
  for (const Batch::Item& item : batch.items) {
    Verdict& verdict = answer.verdicts.emplace_back();
    verdict.status = Verdict::Status::applied;
    auto why = refused.find({item.record.collection, item.record.id});
    if (why == refused.end()) why = refused.find({"", item.record.id});
    if (why == refused.end()) continue;
    verdict.status = Verdict::Status::refused;
    verdict.code = "not_stored";
    verdict.detail = why->second;
  }
  return answer;
}

}  // namespace syncline::kernle
