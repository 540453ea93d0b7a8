// GET /v1/events: the same notices as /v1/live, as Server-Sent Events. The id of an event is the whole position (all
// spaces with their cursors), so a client that resumes with it misses nothing. Needs read; 400 for wrong spaces or a
// wrong id, 403 for a space that the key is not for; changes nothing.
#include "api/event_keep_alive.hpp"
#include "api/native/routes.hpp"
#include "api/native/space_feed.hpp"
#include "base/text.hpp"

namespace syncline::native {
namespace {

using Wanted = std::vector<SpaceFeed::Wanted>;

class EventStream final : public http::BodySource, public KeyHolder {
 public:
  EventStream(Spaces& spaces, Access& access, std::shared_ptr<const Principal> principal, Wanted wanted)
      : spaces_(spaces), access_(access), principal_(std::move(principal)), wanted_(std::move(wanted)) {}

  ~EventStream() override {
    if (feed_) spaces_.live().remove_key_holder(*this);
  }

  void start(http::Wake wake) override {
    wake_ = wake.soon;
    feed_.emplace(spaces_, std::move(wake));
    spaces_.live().add_key_holder(*this);
    is_cut_ = !feed_->watch(wanted_);
    keep_alive_.emplace(spaces_.live().scheduler(), wake_);
  }

  void stop() override { stopped_ = true; }

  void on_access_change() override {
    access_changed_ = true;
    wake_();
  }

  Next next() override {
    if (access_changed_.exchange(false)) {
      const std::vector<SpaceName> spaces = feed_->spaces();
      const auto valid = access_.check_still(*principal_, {.any_of = Scope::read, .spaces = spaces});
      const bool is_over = !valid && is_refusal(valid.error().code);
      stopped_ = stopped_ || is_over;
      is_cut_ = is_cut_ || (!valid && !is_over);
    }
    if (stopped_) return End{};
    if (is_cut_) return Abort{};
    if (first_) {
      first_ = false;
      return text("retry: 2000\n\n");
    }
    if (const auto note = feed_->next()) return text(event_of(*note));
    if (std::string comment = keep_alive_->take(); !comment.empty()) return text(std::move(comment));
    return Wait{};
  }

 private:
  static Next text(std::string bytes) { return Chunk{std::make_shared<const std::string>(std::move(bytes))}; }

  std::string event_of(const SpaceFeed::Note& note) const {
    std::string data;
    JsonWriter writer(data);
    writer.begin_object().string("space", note.space).string("cursor", note.cursor.to_text());
    if (note.reset) writer.string("code", api::code_of(*note.reset));
    writer.end_object();
    std::string id;
    for (const auto& [space, cursor] : feed_->position()) {
      if (!id.empty()) id += ',';
      id += percent_encode(space) + '=' + cursor.to_text();
    }
    return std::string("id: ") + id + "\nevent: " + (note.reset ? "reset" : "change") + "\ndata: " + data + "\n\n";
  }

  Spaces& spaces_;
  Access& access_;
  const std::shared_ptr<const Principal> principal_;
  const Wanted wanted_;
  std::function<void()> wake_;
  std::optional<SpaceFeed> feed_;
  std::optional<api::EventKeepAlive> keep_alive_;
  std::atomic<bool> access_changed_ = true;  // something may have changed before we were told of changes
  bool first_ = true;
  bool stopped_ = false;
  bool is_cut_ = false;  // the store could not be read: the client comes again
};

/// Whether the stream can be begun: what cannot be read now is better answered than cut off.
Result<> check_cursors(Spaces& spaces, const Wanted& wanted) {
  for (const auto& [name, space, cursor] : wanted) {
    if (!cursor) continue;
    const auto since = spaces.resume(space, *cursor);
    if (!since && advice_of(since.error().code) != Advice::resync) return std::unexpected(since.error());
  }
  return {};
}

/// "a=<cursor>,b=<cursor>", percent-encoded.
Result<std::map<std::string, Cursor>> parse_position(std::string_view text) {
  std::map<std::string, Cursor> position;
  if (text.empty()) return position;
  for (const std::string_view part : split(text, ',')) {
    const std::size_t equals = part.find('=');
    const auto space = percent_decode(part.substr(0, equals));
    if (equals == std::string_view::npos || !space) {
      return fail(ErrorCode::invalid_argument, "Last-Event-ID is not an id of this stream");
    }
    TRY(position[*space], parse_cursor(part.substr(equals + 1)));
  }
  return position;
}

}  // namespace

void Face::open_events(const api::CallPtr& call) {
  const std::string names = call->query("spaces").value_or("");
  if (names.empty()) return call->fail(Error{ErrorCode::invalid_argument, "spaces must name at least one space"});
  std::string last_id(call->header("Last-Event-ID"));
  if (last_id.empty()) last_id = call->query("last_event_id").value_or("");
  TRY_CALL(call, const auto position, parse_position(last_id));
  Wanted wanted;
  for (const std::string_view name : split(names, ',')) {
    if (wanted.size() == limits::kWatchedSpacesMax) {
      return call->fail(Error{ErrorCode::invalid_argument, "too many spaces"});
    }
    TRY_CALL(call, SpaceName space, call->reach(name));
    const auto known = position.find(std::string(name));
    wanted.push_back(
        {std::string(name), std::move(space), known == position.end() ? std::nullopt : std::optional(known->second)});
  }
  CHECK_CALL(call, check_cursors(spaces_, wanted));
  if (call->fail_unless_valid()) return;
  http::Response response;
  response.content_type = "text/event-stream";
  response.headers = {{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};
  response.body = std::make_unique<EventStream>(spaces_, access_, call->shared_principal(), std::move(wanted));
  call->respond(std::move(response));
}

}  // namespace syncline::native
