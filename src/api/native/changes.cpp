// Reading a space: the feed, its records by id, and the lists of collections and spaces.
//
// All need read. Errors: 400 for a wrong name, limit or cursor, 410 for a cursor that is no longer valid. Changes no
// record; an unfiltered read of the feed notes how far the key has pulled.
#include <set>

#include "api/long_poll.hpp"
#include "api/native/record_json.hpp"
#include "api/native/routes.hpp"
#include "api/page_source.hpp"
#include "base/text.hpp"
#include "service/lost_versions.hpp"

namespace syncline::native {
namespace {

/// Enough for most pages, so that an answer grows once and not ten times.
constexpr std::size_t kRecordBytesUsual = 512;
/// The others come when these are healed.
constexpr std::size_t kDamagedListedMax = 500;
constexpr std::size_t kChunkBytesUsual = limits::kStreamChunkBytes + limits::kStreamChunkBytes / 4;

struct ChangesRequest {
  api::CallPtr call;
  SpaceName space;
  Seq since;
  Seq needs_no_deletions_through;  // see Cursor
  /// Of a reader that is behind: checked in the snapshot that the page is read from.
  std::optional<Cursor> unchecked;
  std::int64_t limit = 0;
  std::optional<api::LongPoll> poll;
  bool found_any = false;
  std::set<std::string, std::less<>> collections;  // empty: all
  Docs docs = Docs::values;
};

/// Writes {"changes":[...],"cursor":...,"more":...}. The cursor comes last because it is known last: chunks are
/// separate snapshots, and a record that moves on between two of them is met again at its later seq.
class ChangesWriter final : public api::ChunkWriter {
 public:
  ChangesWriter(Spaces& spaces, std::shared_ptr<ChangesRequest> request)
      : spaces_(spaces), request_(std::move(request)), seen_(request_->since), left_(request_->limit) {}

  Result<State> write(std::string& out) override {
    if (first_chunk_) {
      out.reserve(std::min<std::size_t>(static_cast<std::size_t>(left_) * kRecordBytesUsual, kChunkBytesUsual));
      out += "{\"changes\":[";
    }
    first_chunk_ = false;
    bool full = false;
    bool more = false;
    const auto& collections = request_->collections;
    const auto is_left_out = [&](std::string_view collection) {
      return !collections.empty() && !collection.empty() && !collections.contains(collection);
    };
    /// False if the answer is full.
    const auto begin_element = [&] {
      more = left_ == 0 || bytes_ + out.size() >= limits::kPageBytesMax;
      full = out.size() >= limits::kStreamChunkBytes;
      if (more || full) return false;
      if (request_->found_any) out += ',';
      request_->found_any = true;
      --left_;
      return true;
    };
    CHECK_OK(spaces_.read(request_->space, [&](Snapshot& snapshot) -> Result<> {
      if (auto checked = check_place(snapshot); !checked) {
        if (bytes_ == 0) return checked;
        more = true;  // the page ends here, and its cursor will be refused
        return {};
      }
      head_ = snapshot.info().head;
      const auto pass = [&](const RecordView& record) {
        if (!is_left_out(record.collection)) {
          if (!begin_element()) return false;
          append_record(out, record, request_->docs);
        }
        seen_ = record.seq;
        return true;
      };
      const auto pass_damaged = [&](const DamagedRecord& damaged) {
        if (!is_left_out(damaged.collection)) {
          if (!begin_element()) return false;
          append_damaged(out, damaged);
        }
        seen_ = damaged.seq;
        return true;
      };
      CHECK_OK(snapshot.feed(seen_, pass, pass_damaged));
      if (!more && !full) seen_ = std::max(seen_, head_);
      return full ? Result<>{} : list_damage(snapshot);
    }));
    bytes_ += out.size();
    if (full) return State::more;
    Cursor reached = spaces_.cursor(request_->space, seen_, head_);
    reached.needs_no_deletions_through = request_->needs_no_deletions_through;
    out += ']';
    if (!damage_.empty()) out += ",\"damaged\":[" + damage_ + ']';
    out += ",\"cursor\":\"" + reached.to_text() + "\",\"more\":" + (more ? "true}" : "false}");
    request_->since = seen_;
    // Who asked for some collections only has not seen the others.
    if (collections.empty() && request_->call->head().method == http::Method::get) {
      spaces_.note_pulled(request_->call->principal().key, request_->space, seen_);
    }
    return State::done;
  }

 private:
  /// Fails if the cursor is no longer valid, or if deletions that the reader needs have been purged since the last
  /// chunk.
  Result<> check_place(Snapshot& snapshot) {
    const Seq purged_through = snapshot.info().purged_through;
    if (const auto cursor = std::exchange(request_->unchecked, std::nullopt)) {
      TRY(seen_, spaces_.resume_in(snapshot, request_->space, *cursor));
    }
    if (seen_.value == 0) request_->needs_no_deletions_through = purged_through;
    if (std::max(seen_, request_->needs_no_deletions_through) >= purged_through) return {};
    return fail(ErrorCode::cursor_expired, "deletions after the cursor have been purged");
  }

  /// What is known to be damaged behind the reader, who may have received it when it was not, and still have it.
  Result<> list_damage(Snapshot& snapshot) {
    TRY(std::vector<DamagedRecord> all, lost_versions::list(snapshot));
    for (const Damage& damage : spaces_.damage(request_->space)) {
      if (damage.table != Damage::Table::record || all.size() >= kDamagedListedMax) continue;
      if (damage.id.empty()) {
        all.push_back({.collection = "", .id = "", .seq = damage.seq});
        continue;
      }
      TRY(auto located, snapshot.locate(damage.collection, damage.id));
      const bool is_there = located.damaged && located.damaged->seq == damage.seq;
      if (is_there) all.push_back(*std::move(located.damaged));  // else it has been replaced by now
    }
    damage_.clear();
    for (const DamagedRecord& damaged : all) {
      if (damaged.seq > seen_ && !damaged.id.empty()) continue;
      if (!damage_.empty()) damage_ += ',';
      append_damaged(damage_, damaged);
    }
    return {};
  }

  Spaces& spaces_;
  const std::shared_ptr<ChangesRequest> request_;
  Seq seen_;
  Seq head_;  // of the newest snapshot
  std::int64_t left_;
  std::size_t bytes_ = 0;  // in earlier chunks
  bool first_chunk_ = true;
  std::string damage_;
};

void answer_changes(Spaces& spaces, const std::shared_ptr<ChangesRequest>& request) {
  const bool is_over = request->poll->is_over();
  // Nothing new: no need to ask the disk.
  const bool at_head = !request->unchecked && request->since >= spaces.head(request->space);
  if (!at_head || is_over) {
    auto page = api::make_page(std::make_unique<ChangesWriter>(spaces, request));
    if (!page) return fail_with_cursor(request->call, page.error(), spaces.cursor_at_head(request->space));
    if (request->found_any || is_over) return request->call->respond(*std::move(page));
    // Only changes of other collections: wait on from behind them.
  }
  request->poll->wait(request->space, request->since, [&spaces, request] { answer_changes(spaces, request); });
}

class RecordsWriter final : public api::ChunkWriter {
 public:
  RecordsWriter(Spaces& spaces, SpaceName space, std::string collection, std::string after, std::int64_t limit,
                Docs docs)
      : spaces_(spaces),
        space_(std::move(space)),
        collection_(std::move(collection)),
        last_(std::move(after)),
        left_(limit),
        docs_(docs) {}

  Result<State> write(std::string& out) override {
    if (first_chunk_) out += "{\"records\":[";
    first_chunk_ = false;
    bool more = false;
    bool full = false;
    std::string after = last_;
    CHECK_OK(spaces_.read(space_, [&](Snapshot& snapshot) {
      const auto begin_element = [&](std::string_view id) {
        more = left_ == 0 || bytes_ + out.size() >= limits::kPageBytesMax;
        full = out.size() >= limits::kStreamChunkBytes;
        if (more || full) return false;
        if (any_) out += ',';
        any_ = true;
        last_ = id;
        --left_;
        return true;
      };
      const auto pass = [&](const RecordView& record) {
        if (record.deleted) return true;
        if (!begin_element(record.id)) return false;
        append_record(out, record, docs_);
        return true;
      };
      const auto pass_damaged = [&](const DamagedRecord& damaged) {
        if (damaged.id.empty()) return true;
        if (!begin_element(damaged.id)) return false;
        append_damaged(out, damaged);
        return true;
      };
      return snapshot.scan(collection_, after, pass, pass_damaged);
    }));
    bytes_ += out.size();
    if (full) return State::more;
    out += "],\"after\":";
    if (more) {
      append_json_string(out, last_);
    } else {
      out += "null";
    }
    out += '}';
    return State::done;
  }

 private:
  Spaces& spaces_;
  const SpaceName space_;
  const std::string collection_;
  std::string last_;
  std::int64_t left_;
  const Docs docs_;
  std::size_t bytes_ = 0;  // in earlier chunks
  bool any_ = false;
  bool first_chunk_ = true;
};

constexpr auto kPageMax = static_cast<std::int64_t>(limits::kPageRecordsMax);
constexpr auto kPageDefault = static_cast<std::int64_t>(limits::kPageRecordsDefault);

}  // namespace

void Face::get_changes(const api::CallPtr& call) {
  auto request = std::make_shared<ChangesRequest>();
  request->call = call;
  request->space = call->space();
  TRY_CALL(call, request->limit, call->query_integer("limit", 1, kPageMax, kPageDefault));
  TRY_CALL(call, request->docs, docs_of(*call));
  TRY_CALL(call, request->poll, api::LongPoll::of(call, spaces_));
  TRY_CALL(call, const Cursor cursor, parse_cursor(call->query("since").value_or("")));
  TRY_CALL(call, const Cursor known, parse_cursor(call->query("known").value_or("")));
  request->since = cursor.seq;
  if (!cursor.epoch.empty() && cursor.seq < spaces_.head(request->space)) {
    request->unchecked = cursor;
  } else {
    const auto since = spaces_.resume(request->space, cursor);
    if (!since) return fail_with_cursor(call, since.error(), spaces_.cursor_at_head(request->space));
    request->since = *since;
  }
  if (const auto checked = spaces_.check(request->space, known); !checked) {
    return fail_with_cursor(call, checked.error(), spaces_.cursor_at_head(request->space));
  }
  request->needs_no_deletions_through = cursor.needs_no_deletions_through;
  if (const auto wanted = call->query("collections"); wanted && !wanted->empty()) {
    for (const std::string_view name : split(*wanted, ',')) {
      CHECK_CALL(call, check_collection_name(name));
      request->collections.emplace(name);
    }
  }
  answer_changes(spaces_, request);
}

void Face::list_records(const api::CallPtr& call) {
  CHECK_CALL(call, check_collection_name(call->param("collection")));
  TRY_CALL(call, const std::int64_t limit, call->query_integer("limit", 1, kPageMax, kPageDefault));
  TRY_CALL(call, const Docs docs, docs_of(*call));
  TRY_CALL(call, http::Response page,
           api::make_page(std::make_unique<RecordsWriter>(spaces_, call->space(), call->param("collection"),
                                                          call->query("after").value_or(""), limit, docs)));
  call->respond(std::move(page));
}

void Face::list_collections(const api::CallPtr& call) {
  TRY_CALL(call, const auto infos, spaces_.collections(call->space()));
  std::string body;
  JsonWriter writer(body);
  writer.begin_object().name("collections").begin_array();
  for (const CollectionInfo& info : infos) {
    writer.begin_object()
        .string("name", info.name)
        .integer("records", info.records)
        .integer("bytes", info.bytes)
        .end_object();
  }
  writer.end_array().end_object();
  call->respond_json(200, std::move(body));
}

void Face::list_spaces(const api::CallPtr& call) {
  TRY_CALL(call, const auto infos, spaces_.list(call->principal().account));
  std::string body;
  JsonWriter writer(body);
  writer.begin_object().name("spaces").begin_array();
  for (const SpaceInfo& info : infos) {
    if (!call->principal().spaces.allows(info.name.name)) continue;
    writer.begin_object();
    append_space_members(writer, info, spaces_.cursor(info.name, info.head));
    writer.end_object();
  }
  writer.end_array();
  if (shares_ != nullptr) CHECK_CALL(call, append_shared(writer, call->principal()));
  writer.end_object();
  call->respond_json(200, std::move(body));
}

Result<> Face::append_shared(JsonWriter& writer, const Principal& guest) {
  TRY(const auto shares, shares_->given_to(guest.account));
  writer.name("shared").begin_array();
  for (const Shares::Share& share : shares) {
    const std::string name = name_for(guest.account, share.space);
    if (!guest.spaces.allows(name)) continue;
    writer.begin_object()
        .string("name", name)
        .string("owner", share.owner)
        .string("rights", to_text(share.rights))
        .string("cursor", spaces_.cursor_at_head(share.space).to_text())
        .end_object();
  }
  writer.end_array();
  return {};
}

}  // namespace syncline::native
