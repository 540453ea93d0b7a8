#include "api/ai/meter.hpp"

#include <algorithm>

#include "base/json.hpp"
#include "base/text.hpp"

namespace syncline::ai {
namespace {

SpaceName space_of(AccountNumber account) { return {account, "ai"}; }

std::string month_of(Timestamp time) { return format_time(time).substr(0, 7); }

/// "<input> <output> <requests>"
std::string to_text(const Usage& usage) {
  return std::to_string(usage.tokens.input) + ' ' + std::to_string(usage.tokens.output) + ' ' +
         std::to_string(usage.requests);
}

Result<Usage> read_usage(Snapshot& snapshot, std::string month) {
  Usage usage{.month = std::move(month)};
  TRY(const auto text, snapshot.find_value(usage.month));
  if (!text) return usage;
  const auto parts = split(*text, ' ');
  if (parts.size() != 3) return usage;
  usage.tokens = {parse_integer(parts[0]).value_or(0), parse_integer(parts[1]).value_or(0)};
  usage.requests = parse_integer(parts[2]).value_or(0);
  return usage;
}

}  // namespace

Result<Usage> Meter::usage(AccountNumber account) {
  Usage usage;
  CHECK_OK(spaces_.read(space_of(account), [&](Snapshot& snapshot) -> Result<> {
    TRY(usage, read_usage(snapshot, month_of(spaces_.clock().now())));
    return {};
  }));
  return usage;
}

Result<std::optional<Reservation>> Meter::reserve(AccountNumber account, Tokens wanted, std::int64_t cap) {
  std::optional<Reservation> reservation;
  const auto reads = [&] { return Reads{.values = {month_of(spaces_.clock().now())}}; };
  TRY([[maybe_unused]] const Cursor cursor,
      spaces_.write_and_wait(space_of(account), KeyNumber{0}, reads, [&](SpaceWriter& writer) -> Result<> {
        reservation.reset();
        TRY(Usage usage, read_usage(writer.txn(), month_of(writer.now())));
        const std::int64_t room = cap - usage.tokens.total() - wanted.input;
        if (room <= 0) return {};
        const Tokens granted{wanted.input, std::min(wanted.output, room)};
        usage.tokens = {usage.tokens.input + granted.input, usage.tokens.output + granted.output};
        usage.requests += 1;
        writer.txn().put_value(usage.month, to_text(usage));
        reservation = Reservation{usage.month, granted};
        return {};
      }));
  return reservation;
}

Result<> Meter::adjust(AccountNumber account, const Reservation& reservation, Tokens used, std::int64_t requests) {
  const auto reads = [&] { return Reads{.values = {reservation.month}}; };
  TRY([[maybe_unused]] const Cursor cursor,
      spaces_.write_and_wait(space_of(account), KeyNumber{0}, reads, [&](SpaceWriter& writer) -> Result<> {
        TRY(Usage usage, read_usage(writer.txn(), reservation.month));
        usage.tokens.input += used.input - reservation.tokens.input;
        usage.tokens.output += used.output - reservation.tokens.output;
        usage.requests += requests;
        writer.txn().put_value(usage.month, to_text(usage));
        return {};
      }));
  return {};
}

Result<> Meter::settle(AccountNumber account, const Reservation& reservation, Tokens used) {
  return adjust(account, reservation, used, 0);
}

Result<> Meter::release(AccountNumber account, const Reservation& reservation) {
  return adjust(account, reservation, {}, -1);
}

std::int64_t estimate_tokens(std::size_t bytes) {
  constexpr std::size_t kBytesPerToken = 4;
  return static_cast<std::int64_t>((bytes + kBytesPerToken - 1) / kBytesPerToken);
}

std::string usage_json(const Usage& usage, std::int64_t cap) {
  std::string out;
  JsonWriter(out)
      .begin_object()
      .string("month", usage.month)
      .integer("input_tokens", usage.tokens.input)
      .integer("output_tokens", usage.tokens.output)
      .integer("total_tokens", usage.tokens.total())
      .integer("request_count", usage.requests)
      .integer("cap", cap)
      .end_object();
  return out;
}

}  // namespace syncline::ai
