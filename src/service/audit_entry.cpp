#include "service/audit_entry.hpp"

#include <algorithm>
#include <limits>

#include "base/text.hpp"

namespace syncline {
namespace {

constexpr std::size_t kTextBytesMax = 400;  // of each member
constexpr int kDepthMax = 2;
constexpr std::int64_t kNumberMax = std::int64_t{1} << 62U;
constexpr std::string_view kGap = "audit.gap";
constexpr std::string_view kDone = "ok";
constexpr std::string_view kRefused = "refused";

std::string shortened(std::string_view text) { return to_valid_utf8(cut_utf8(text, kTextBytesMax)); }

bool same(const ChainHead& a, const ChainHead& b) { return a.count == b.count && a.hash == b.hash; }

AuditRow make_row(const ChainHead& last, Timestamp at, const Actor& actor, const AuditEvent& event) {
  AuditRow row{.number = last.count + 1,
               .at = at,
               .actor = shortened(actor.account),
               .account = shortened(event.account),
               .action = shortened(event.action),
               .text = {}};
  JsonWriter writer(row.text);
  const auto member = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) writer.string(name, shortened(value));
  };
  writer.begin_object().integer("n", row.number).string("previous", last.hash).string("at", format_time(at));
  member("actor", row.actor);
  member("key", actor.key);
  member("label", actor.label);
  member("address", actor.address);
  writer.string("action", row.action);
  member("account", row.account);
  member("target", event.target);
  writer.string("outcome", event.succeeded ? kDone : kRefused);
  member("detail", event.detail);
  writer.end_object();
  return row;
}

Result<> add(DirectoryTxn& txn, ChainHead& last, Timestamp at, const Actor& actor, const AuditEvent& event) {
  const AuditRow row = make_row(last, at, actor, event);
  CHECK_OK(txn.add_audit(row));
  last = {row.number, chain_hash(row.text)};
  return {};
}

/// Both ends, or those of an empty log. Numbers that no log reaches come from somebody else.
Result<AuditEnds> find_ends(DirectoryView& view) {
  const ChainHead start{0, first_chain_hash()};
  TRY(const auto known, view.find_audit_ends());
  AuditEnds ends = known.value_or(AuditEnds{.last = start, .purged = start});
  for (ChainHead* end : {&ends.last, &ends.purged}) end->count = std::clamp<std::int64_t>(end->count, 0, kNumberMax);
  return ends;
}

/// Where the next entry goes. An end that was tampered with is written down in the log itself, so that going on does
/// not cover it up.
Result<AuditEnds> continue_log(DirectoryTxn& txn, Timestamp at) {
  TRY(AuditEnds ends, find_ends(txn));
  ChainHead found = ends.purged;
  CHECK_OK(txn.audit_before(std::numeric_limits<std::int64_t>::max(), [&](const AuditRow& newest) {
    found = {newest.number, chain_hash(newest.text)};
    return false;
  }));
  if (same(found, ends.last)) return ends;
  if (found.count >= kNumberMax) {
    return fail(ErrorCode::damaged, "the audit log has an entry with an impossible number; remove it from the store");
  }
  const std::string detail = "the last entry should have been " + std::to_string(ends.last.count) + ", but was " +
                             (found.count == ends.last.count ? "changed" : std::to_string(found.count));
  ends.last = {std::max(found.count, ends.last.count), found.hash};
  CHECK_OK(add(txn, ends.last, at, {}, {.action = std::string(kGap), .account = {}, .target = {}, .detail = detail}));
  return ends;
}

bool is_copied_right(const AuditRow& row, const JsonObject& entry) {
  return entry.text_of("at") == format_time(row.at) && entry.text_of("actor") == row.actor &&
         entry.text_of("account") == row.account && entry.text_of("action") == row.action;
}

/// Why the row is not what follows `last`; empty if it is.
std::string fault_of(const AuditRow& row, const ChainHead& last) {
  if (row.number != last.count + 1) {
    return "entries " + std::to_string(last.count + 1) + " to " + std::to_string(row.number - 1) + " are missing";
  }
  const std::string name = "entry " + std::to_string(row.number) + ' ';
  const auto entry = parse_json_object(row.text, kDepthMax);
  if (!entry) return name + "is no entry any more";
  if (const std::string fault = chain_fault(*entry, row.number, last.hash); !fault.empty()) return name + fault;
  if (!is_copied_right(row, *entry)) return name + "was changed in the columns that it is found by";
  if (row.action == kGap) return name + "records that entries before it were missing or changed";
  return "";
}

}  // namespace

thread_local const ActingAs* ActingAs::innermost_ = nullptr;

Actor ActingAs::current() { return innermost_ != nullptr ? innermost_->actor_ : Actor{}; }

Actor ActingAs::make_actor(const Principal* principal, std::string_view address) {
  Actor actor;
  if (address != "-") actor.address = address;
  if (principal == nullptr) return actor;
  actor.account = principal->email;
  actor.key = principal->key_id;
  actor.label = principal->label;
  return actor;
}

Result<> record(DirectoryTxn& txn, const AuditEvent& event) {
  return record(txn, ActingAs::current(), txn.now(), event);
}

Result<> record(DirectoryTxn& txn, Actor actor, Timestamp at, const AuditEvent& event) {
  if (event.by_account && actor.account.empty()) actor.account = event.account;
  TRY(AuditEnds ends, continue_log(txn, at));
  CHECK_OK(add(txn, ends.last, at, actor, event));
  return txn.put_audit_ends(ends);
}

AuditEntry audit_entry_from(const AuditRow& row) {
  AuditEntry entry{.number = row.number,
                   .at = row.at,
                   .actor = {.account = row.actor, .key = {}, .label = {}, .address = {}},
                   .event = {.action = row.action, .account = row.account, .target = {}, .detail = {}}};
  const auto stored = parse_json_object(row.text, kDepthMax);
  if (!stored) return entry;
  entry.actor.key = stored->text_of("key");
  entry.actor.label = stored->text_of("label");
  entry.actor.address = stored->text_of("address");
  entry.event.target = stored->text_of("target");
  entry.event.detail = stored->text_of("detail");
  entry.event.succeeded = stored->text_of("outcome") == kDone;
  return entry;
}

Result<AuditVerdict> verify_audit(DirectoryView& view) {
  TRY(const AuditEnds ends, find_ends(view));
  AuditVerdict verdict;
  ChainHead last = ends.purged;
  const auto blame = [&](std::int64_t number, std::string fault) {
    if (!verdict.fault.empty() || fault.empty()) return;
    verdict.fault = std::move(fault);
    verdict.fault_at = number;
  };
  CHECK_OK(view.audit_after(std::numeric_limits<std::int64_t>::min(), [&](const AuditRow& row) {
    if (verdict.entries++ == 0) verdict.first = row.number;
    blame(row.number, fault_of(row, last));
    last = {row.number, chain_hash(row.text)};
    return true;
  }));
  verdict.last = last;
  if (last.count < ends.last.count) {
    blame(last.count + 1, "entries " + std::to_string(last.count + 1) + " to " + std::to_string(ends.last.count) +
                              " at the end are missing");
  } else if (last.count > ends.last.count) {
    blame(last.count, "the note where the log ends is missing or was changed");
  } else if (!same(last, ends.last)) {
    blame(last.count, "entry " + std::to_string(last.count) + " was changed");
  }
  return verdict;
}

Result<std::int64_t> purge_audit(DirectoryTxn& txn, Timestamp until, std::int64_t keep_max, std::int64_t count_max) {
  TRY(AuditEnds ends, find_ends(txn));
  const ChainHead before = ends.purged;
  std::string fault;
  CHECK_OK(txn.audit_after(before.count, [&](const AuditRow& row) {
    const bool is_surplus = ends.last.count - ends.purged.count > keep_max;
    const bool is_over = row.at < until || is_surplus;
    if (!is_over || ends.purged.count - before.count == count_max) return false;
    // A gap that the log itself records has been there for long enough.
    if (row.action != kGap) fault = fault_of(row, ends.purged);
    if (!fault.empty()) return false;
    ends.purged = {row.number, chain_hash(row.text)};
    return true;
  }));
  if (ends.purged.count > before.count) {
    CHECK_OK(txn.remove_audit_through(ends.purged.count));
    CHECK_OK(txn.put_audit_ends(ends));
  } else if (!fault.empty()) {
    return fail(ErrorCode::damaged,
                "the audit log is not purged, because " + fault + "; run 'syncline audit verify' and examine it");
  }
  return ends.purged.count - before.count;
}

}  // namespace syncline
