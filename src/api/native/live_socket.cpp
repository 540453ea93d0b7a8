// GET /v1/live: one WebSocket that says which spaces have something new. Needs read; 426 without an upgrade; changes
// nothing.
//
// state           client may say       server may say
// authenticating  auth                 close 4001; 1013 when the key cannot be checked
// open            auth, watch          ready, change, reset, error; close 4001 when the key is revoked, 4003 when it
// has
//                                      lost a right that the socket uses, 1013 when that or a space cannot be read
#include "api/native/routes.hpp"
#include "api/native/space_feed.hpp"
#include "api/socket_close.hpp"

namespace syncline::native {
namespace {

/// Answers that a client leaves unread.
constexpr std::size_t kRepliesMax = 64;

using Frame = std::shared_ptr<const std::string>;

std::string note_text(const SpaceFeed::Note& note) {
  std::string text;
  JsonWriter writer(text);
  writer.begin_object()
      .string("type", note.reset ? "reset" : "change")
      .string("space", note.space)
      .string("cursor", note.cursor.to_text());
  if (note.reset) writer.string("code", api::code_of(*note.reset));
  writer.end_object();
  return text;
}

class LiveSocket final : public http::WebSocketSession, public KeyHolder {
 public:
  LiveSocket(Spaces& spaces, Access& access, std::shared_ptr<const Principal> principal)
      : spaces_(spaces), access_(access), principal_(std::move(principal)) {}

  ~LiveSocket() override {
    if (started_) spaces_.live().remove_key_holder(*this);
  }

  void start(http::Wake wake) override {
    wake_ = wake.soon;
    feed_.emplace(spaces_, std::move(wake), &note_text);
    started_ = true;
    spaces_.live().add_key_holder(*this);
  }

  void on_text(std::string_view text) override {
    std::string copy(text);
    if (check_json(copy, limits::kDocumentDepthMax).fault != JsonFault::none || !JsonView(copy).is_object()) {
      if (!principal_) return leave(api::kCloseUnauthorized, "the first message must be auth");
      return say_error("invalid_message", "a message must be a JSON object");
    }
    const JsonView json(copy);
    const auto type = json.find("type");
    const std::string name = type ? type->as_string().value_or("") : "";
    if (name == "auth") return authenticate(json);
    if (!principal_) {
      leave(api::kCloseUnauthorized, "the first message must be auth");
    } else if (name == "watch") {
      watch(json);
    } else {
      say_error("invalid_message", "type must be auth or watch");
    }
  }

  Next next() override {
    if (access_changed_.exchange(false) && principal_) {
      const std::vector<SpaceName> spaces = feed_->spaces();
      const auto valid = access_.check_still(*principal_, {.any_of = Scope::read, .spaces = spaces});
      if (!valid) leave(api::make_close(valid.error(), "the key was revoked"));
    }
    if (close_) return *std::exchange(close_, std::nullopt);
    if (!replies_.empty()) {
      auto frame = std::make_shared<const std::string>(std::move(replies_.front()));
      replies_.erase(replies_.begin());
      return Frame(std::move(frame));
    }
    if (Frame frame = feed_->next_text()) return frame;
    return std::monostate{};
  }

  std::int64_t first_message_ms() const override { return principal_ ? 0 : limits::kAuthMessageMs; }
  Close first_message_missing() const override { return {api::kCloseUnauthorized, "no auth message came"}; }

  void on_access_change() override {
    access_changed_ = true;
    wake_();
  }

 private:
  void authenticate(JsonView json) {
    const auto key = json.find("key") ? json.find("key") : json.find("token");
    auto principal = access_.authenticate(key ? key->as_string().value_or("") : "");
    if (!principal) return leave(api::make_close(principal.error(), "the key is not valid here"));
    if (!(*principal)->scopes.has(Scope::read) || !access_.may_sync(**principal)) {
      return leave(api::kCloseUnauthorized, "the key is not valid here");
    }
    if (principal_ && principal_->key != (*principal)->key)
      return leave(api::kCloseUnauthorized, "one key a connection");
    principal_ = *std::move(principal);
  }

  void watch(JsonView json) {
    const auto wanted = json.find("spaces");
    if (!wanted || !wanted->is_object()) return say_error("invalid_message", "spaces must be an object");
    std::vector<SpaceFeed::Wanted> spaces;
    std::string fault;
    std::optional<Error> refusal;
    wanted->for_each_member([&](std::string_view name, JsonView value) {
      const auto cursor = parse_cursor(value.as_string().value_or(value.raw() == "0" ? "0" : "?"));
      if (!cursor) fault = "the cursor of '" + std::string(name) + "' is not one";
      if (spaces.size() == limits::kWatchedSpacesMax) fault = "too many spaces";
      if (!fault.empty() || refusal) return;
      auto space = access_.reach(*principal_, name, Access::Use::read);
      if (!space) {
        refusal = space.error();
      } else {
        spaces.push_back({std::string(name), *std::move(space), *cursor});
      }
    });
    if (refusal && refusal->code == ErrorCode::invalid_argument) fault = refusal->text;
    if (!fault.empty()) return say_error("invalid_message", fault);
    if (refusal && is_refusal(refusal->code)) return say_error(api::code_of(refusal->code), refusal->text);
    if (refusal) return leave(api::make_close(*refusal, ""));
    std::string ready;
    JsonWriter writer(ready);
    writer.begin_object().string("type", "ready").name("spaces").begin_object();
    for (const SpaceFeed::Wanted& each : spaces) {
      writer.name(each.name).string(spaces_.cursor_at_head(each.space).to_text());
    }
    writer.end_object().end_object();
    say(std::move(ready));
    access_changed_ = true;  // the key may have lost a space since it was authenticated
    if (!feed_->watch(spaces)) {
      leave(api::kCloseTryAgainLater, "a space cannot be read at the moment; try again later");
    }
  }

  void say_error(std::string_view code, std::string_view detail) {
    std::string text;
    JsonWriter(text).begin_object().string("type", "error").string("code", code).string("detail", detail).end_object();
    say(std::move(text));
  }

  void say(std::string text) {
    if (replies_.size() >= kRepliesMax) return leave(1008, "read the answers before you ask more");
    replies_.push_back(std::move(text));
  }

  void leave(unsigned short code, std::string reason) { leave(Close{code, std::move(reason)}); }
  void leave(Close close) {
    if (!close_) close_ = std::move(close);
  }

  Spaces& spaces_;
  Access& access_;
  std::shared_ptr<const Principal> principal_;
  std::function<void()> wake_;
  std::optional<SpaceFeed> feed_;
  std::vector<std::string> replies_;
  std::optional<Close> close_;
  std::atomic<bool> access_changed_ = true;  // something may have changed before we were told of changes
  bool started_ = false;
};

}  // namespace

void Face::open_live(const api::CallPtr& call) {
  http::Response response;
  response.upgrade = std::make_unique<LiveSocket>(spaces_, access_, call->shared_principal());
  call->respond(std::move(response));
}

}  // namespace syncline::native
