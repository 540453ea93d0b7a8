// Result<T>: what a function returns that can fail in operation. An Error says what happened, in one short text a
// person can read, and what the caller should do about it. Exceptions are for libraries only and become an Error at
// the call that threw.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace syncline {

enum class ErrorCode {
  invalid_argument,  // the caller's input is wrong
  invalid_document,  // a document that cannot be stored as it is
  not_found,
  conflict,  // the stored state forbids it
  precondition_failed,
  unauthorized,  // no or no valid credential
  forbidden,     // a valid credential that may not do this
  too_large,
  too_many,        // requests of that kind in this time
  epoch_changed,   // the cursor belongs to another history
  cursor_expired,  // tombstones after the cursor have been purged
  cursor_ahead,    // the cursor is past the newest change
  key_reused,      // an Idempotency-Key came again with another request
  busy,            // somebody else holds what is needed
  locked,          // another process owns the data directory
  storage_full,    // nothing was written; works again when there is room
  storage_broken,  // the disk failed in a write; the process must stop and recover
  wrong_store,     // a directory or file that is not ours
  newer_store,     // written by a newer version
  clock_in_doubt,  // the machine's clock cannot be believed
  unavailable,     // cannot be reached or is shutting down
  timed_out,       // reached, but did not answer in time
  internal,        // a bug of ours

  // Last, because the numbers travel between two processes.
  storage_damaged,    // what is stored cannot be read
  damaged,            // a row is no longer what was written; all others are as good as ever
  quota_exceeded,     // the account has stored as much as its plan allows
  answer_too_large,   // another server answers more than it should; it may do better later
  space_not_allowed,  // a valid credential, limited to other spaces
};

/// What the caller should do about an error.
enum class Advice { give_up, retry_later, resync, reauth };
[[nodiscard]] constexpr Advice advice_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::too_many:
    case ErrorCode::busy:
    case ErrorCode::storage_full:
    case ErrorCode::damaged:
    case ErrorCode::storage_broken:
    case ErrorCode::storage_damaged:
    case ErrorCode::unavailable:
    case ErrorCode::answer_too_large:
    case ErrorCode::timed_out: return Advice::retry_later;
    case ErrorCode::epoch_changed:
    case ErrorCode::cursor_expired:
    case ErrorCode::cursor_ahead: return Advice::resync;
    case ErrorCode::unauthorized: return Advice::reauth;
    default: return Advice::give_up;
  }
}

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string text;
};

template <typename T = void>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string text) {
  return std::unexpected(Error{code, std::move(text)});
}

}  // namespace syncline

#define SYNCLINE_CONCAT_INNER(a, b) a##b
#define SYNCLINE_CONCAT(a, b) SYNCLINE_CONCAT_INNER(a, b)

/// TRY(auto x, f()): declares x from the value of a Result, or returns its error from the enclosing function.
#define TRY(declaration, expression) TRY_INNER(SYNCLINE_CONCAT(try_result_, __LINE__), declaration, expression)
#define TRY_INNER(name, declaration, expression)              \
  auto name = (expression);                                   \
  if (!name) return std::unexpected(std::move(name).error()); \
  declaration = *std::move(name)

/// CHECK_OK(f()): returns the error of a Result<void> from the enclosing function.
#define CHECK_OK(expression) CHECK_OK_INNER(SYNCLINE_CONCAT(check_result_, __LINE__), expression)
#define CHECK_OK_INNER(name, expression)                        \
  do {                                                          \
    auto name = (expression);                                   \
    if (!name) return std::unexpected(std::move(name).error()); \
  } while (false)
