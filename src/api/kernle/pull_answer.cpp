#include "api/kernle/pull_answer.hpp"

#include <map>

#include "api/kernle/request.hpp"
#include "api/page_source.hpp"
#include "wire/kernle_tables.hpp"

namespace syncline::kernle {
namespace {

void append_operation(std::string& out, const RecordView& record) {
  const std::string seq = std::to_string(record.seq.value);
  out.append(R"({"operation":")").append(record.deleted ? "delete" : "update");
  out.append(R"(","table":")").append(record.collection);  // a name needs no escapes
  out.append(R"(","record_id":)");
  append_json_string(out, record.id);
  out.append(",\"data\":").append(record.deleted ? "null" : record.doc);
  out.append(R"(,"local_updated_at":")").append(client_time(record.updated_at));
  out.append(R"(","version":)").append(seq).append(",\"seq\":").append(seq).append("}");
}

/// Writes the answer in chunks, each from a snapshot of its own: a record that has moved on meanwhile is past the
/// plan's end and comes with the next pull.
class PullWriter final : public api::ChunkWriter {
 public:
  PullWriter(Spaces& spaces, const api::Call& call, SpaceName space, PullPlan plan, std::optional<FullSync> full)
      : spaces_(spaces),
        key_(call.principal().key),
        request_id_(call.head().request_id),
        space_(std::move(space)),
        plan_(std::move(plan)),
        full_(std::move(full)),
        at_(plan_.begin()) {}

  Result<State> write(std::string& out) override {
    if (first_chunk_) out += R"({"success":true,"operations":[)";
    first_chunk_ = false;
    bool full_chunk = false;
    CHECK_OK(spaces_.read(space_, [&](Snapshot& snapshot) -> Result<> {
      for (; again_at_ < plan_.again.size() && out.size() < limits::kStreamChunkBytes; ++again_at_) {
        TRY(const auto record, snapshot.find_undamaged(plan_.again[again_at_].collection, plan_.again[again_at_].id));
        if (record && record->seq <= plan_.from) append(out, view_of(*record));
      }
      full_chunk = again_at_ < plan_.again.size();
      if (full_chunk) return {};
      return snapshot.feed(at_, [&](const RecordView& record) {
        full_chunk = out.size() >= limits::kStreamChunkBytes;
        if (full_chunk || record.seq > plan_.through) return false;
        at_ = record.seq;
        if (!is_delivered(plan_, key_, record)) return true;
        append(out, record);
        return true;
      });
    }));
    if (full_chunk) return State::more;
    out += ']';
    append_end(out);
    spaces_.note_pulled(key_, space_, plan_.through);
    return State::done;
  }

 private:
  void append(std::string& out, const RecordView& record) {
    if (count_ > 0) out += ',';
    append_operation(out, record);
    count_ += 1;
    by_table_[std::string(record.collection)] += 1;
  }

  void append_end(std::string& out) {
    const Timestamp now = spaces_.clock().now();
    std::string end;
    JsonWriter writer(end);
    writer.begin_object()
        .boolean("has_more", plan_.has_more)
        .string("server_time", format_time(now))
        .string("cursor", format_pull_cursor(plan_, reached()));
    writer.name("data").begin_object();
    full_ ? append_full_data(writer, now) : append_pull_data(writer, now);
    writer.end_object();
    if (full_) {
      JsonView(full_->push_members).for_each_member([&](std::string_view name, JsonView value) {
        writer.raw(name, value.raw());
      });
    }
    append_meta(writer, request_id_, now);
    writer.end_object();
    out.append(",").append(end, 1);
  }

  Cursor reached() const {
    return spaces_.cursor(space_, plan_.through, plan_.has_more ? spaces_.head(space_) : Seq{});
  }

  void append_pull_data(JsonWriter& writer, Timestamp now) const {
    writer.integer("pulled", count_).name("tables").begin_object();
    for (const auto& [table, count] : by_table_) writer.integer(table, count);
    writer.end_object().string("last_sync", format_time(now)).integer("conflicts", 0);
  }

  void append_full_data(JsonWriter& writer, Timestamp now) const {
    writer.name("pull").begin_object().integer("records", count_).name("tables").begin_array();
    for (const auto& [table, count] : by_table_) writer.string(table);
    writer.end_array().end_object();
    writer.name("push").begin_object().integer("records", full_->pushed).name("tables").begin_array();
    for (const std::string& table : full_->pushed_tables) writer.string(table);
    writer.end_array().end_object();
    writer.integer("conflicts_resolved", full_->conflicts_resolved).string("sync_completed_at", format_time(now));
  }

  Spaces& spaces_;
  const KeyNumber key_;
  const std::string request_id_;
  const SpaceName space_;
  const PullPlan plan_;
  const std::optional<FullSync> full_;
  Seq at_;
  std::size_t again_at_ = 0;
  std::int64_t count_ = 0;
  std::map<std::string, std::int64_t> by_table_;
  bool first_chunk_ = true;
};

}  // namespace

void answer_pull(Spaces& spaces, const api::CallPtr& call, const PullPlan& plan, std::optional<FullSync> full) {
  TRY_CALL(call, http::Response page,
           api::make_page(std::make_unique<PullWriter>(spaces, *call, call->space(), plan, std::move(full))));
  call->respond(std::move(page));
}

}  // namespace syncline::kernle
