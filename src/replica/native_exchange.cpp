#include "replica/native_exchange.hpp"

#include <algorithm>

#include "replica/answer.hpp"

namespace syncline::replica {
namespace {

std::unexpected<Error> other_history() { return fail(ErrorCode::epoch_changed, "the hub has another history"); }

}  // namespace

http::ClientRequest NativeExchange::begin_pull() {
  asked_since_ = local_.cursor();
  asked_max_ = page_max_;
  return make_pull(local_.name().name, asked_since_, local_.known(), page_max_);
}

Result<PullNext> NativeExchange::take_pull(const http::ClientResponse& response) {
  if (response.status != 200) {
    const Error error = error_of(response);
    const bool knew_something = !asked_since_.epoch.empty() || !local_.known().epoch.empty();
    if (advice_of(error.code) == Advice::resync && !knew_something) return not_understood(error.text);
    if (error.code != ErrorCode::cursor_expired) return std::unexpected(error);
    CHECK_OK(local_.read_from_start());
    return PullOutcome{local_.cursor(), true};
  }
  TRY(const Page page, parse_page(response.body, asked_since_, asked_max_));
  if (local_.is_other_history(page.cursor)) return other_history();
  if (page.more && page.cursor.seq <= asked_since_.seq)
    return not_understood("it announces more changes, but its cursor does not advance");
  page_max_ = std::min(page_max_ * 2, limits_.page_max);
  CHECK_OK(local_.apply(page));
  if (!page.more && (local_.has_new_damage() || local_.may_have_missed())) {
    CHECK_OK(local_.read_from_start());
    return PullOutcome{local_.cursor(), true};
  }
  return PullOutcome{local_.cursor(), page.more};
}

http::ClientRequest NativeExchange::begin_push(const Batch& batch) {
  std::string ops;
  for (const Batch::Item& item : batch.items) append_op(ops, item.record, item.base.value_or(Seq{}));
  return make_push(local_.name().name, local_.history(), local_.known(), ops);
}

Result<PushNext> NativeExchange::take_push(const Batch& batch, const http::ClientResponse& response) {
  if (response.status != 200) {
    const Error error = error_of(response);
    if (advice_of(error.code) == Advice::resync && local_.epoch().empty()) return not_understood(error.text);
    return std::unexpected(error);
  }
  TRY(PushAnswer answer, parse_push_answer(response.body, batch.items.size()));
  if (local_.is_other_history(answer.cursor)) return other_history();
  return answer;
}

bool NativeExchange::reduce_page_size() {
  const std::int64_t before = std::exchange(page_max_, std::max<std::int64_t>(1, page_max_ / 2));
  return page_max_ < before;
}

}  // namespace syncline::replica
