// GET /ws: one WebSocket that says what has changed in the account. Needs read; changes nothing.
//
// state           client may say   server may say
// authenticating  auth             close 4001; 1013 when the key cannot be checked
// open            anything         connected, then events; close 4001 when the key is revoked or not for this space,
// 1013 as above
#include <deque>

#include "api/kaisho/routes.hpp"
#include "api/socket_close.hpp"
#include "base/mutex.hpp"

namespace syncline::kaisho {
namespace {

/// Events that a reader leaves unread. Beyond it they become one "changed" for each resource: the client then pulls.
constexpr std::size_t kUnreadMax = 64;

class Socket final : public http::WebSocketSession, public KeyHolder, public Listener {
 public:
  Socket(Spaces& spaces, Access& access, std::shared_ptr<const Principal> principal)
      : spaces_(spaces), access_(access), principal_(std::move(principal)) {}

  ~Socket() override {
    if (listens_) spaces_.live().unlisten(space_, *this);
    if (started_) spaces_.live().remove_key_holder(*this);
  }

  void start(http::Wake wake) override {
    wake_ = std::move(wake.soon);
    started_ = true;
    spaces_.live().add_key_holder(*this);
    if (principal_) connect();
  }

  void on_text(std::string_view text) override {
    if (listens_) return;  // the client has nothing to say any more
    std::string copy(text);
    if (check_json(copy, limits::kDocumentDepthMax).fault != JsonFault::none || !JsonView(copy).is_object()) {
      return leave("the first message must be auth");
    }
    const JsonObject message{JsonView(copy)};
    if (message.text_of("type") != "auth") return leave("the first message must be auth");
    const std::string key = message.find("api_key") ? message.text_of("api_key") : message.text_of("token");
    auto principal = access_.authenticate(key);
    if (!principal) return leave(api::make_close(principal.error(), "the key is not valid here"));
    if (!(*principal)->scopes.has(Scope::read) || !access_.may_sync(**principal)) {
      return leave("the key is not valid here");
    }
    principal_ = *std::move(principal);
    connect();
  }

  Next next() override {
    if (access_changed_.exchange(false) && listens_) {
      const auto valid = access_.check_still(*principal_, {.any_of = Scope::read, .spaces = {&space_, 1}});
      if (!valid && is_refusal(valid.error().code)) leave("the key was revoked");
      if (!valid) leave(api::make_close(valid.error(), ""));
    }
    if (close_) return *std::exchange(close_, std::nullopt);
    const MutexLock lock(mutex_);
    if (unread_.empty()) return std::monostate{};
    auto message = std::move(unread_.front());
    unread_.pop_front();
    return message;
  }

  std::int64_t first_message_ms() const override { return principal_ ? 0 : limits::kAuthMessageMs; }
  Close first_message_missing() const override { return {api::kCloseUnauthorized, "no auth message came"}; }

  void on_messages(const std::vector<Message>& messages) override {
    {
      const MutexLock lock(mutex_);
      if (unread_.size() + messages.size() > kUnreadMax) {
        summarise();
      } else {
        unread_.insert(unread_.end(), messages.begin(), messages.end());
      }
    }
    wake_();
  }

  void on_access_change() override {
    access_changed_ = true;
    wake_();
  }

 private:
  void connect() {
    auto space = access_.reach(*principal_, kSpace, Access::Use::read);
    if (!space && is_refusal(space.error().code)) return leave("the key is not valid here");
    if (!space) return leave(api::make_close(space.error(), ""));
    space_ = *std::move(space);
    listens_ = true;
    const std::size_t devices = spaces_.live().listen(space_, *this);
    const MutexLock lock(mutex_);
    // Whatever is announced from now on comes after it.
    unread_.push_front(
        std::make_shared<const std::string>(event_text("connected", "{\"devices\":" + std::to_string(devices) + "}")));
  }

  void summarise() REQUIRES(mutex_) {
    unread_.clear();
    for (const Resource& resource : resources()) {
      unread_.push_back(std::make_shared<const std::string>(event_text(resource.event, R"({"count":0})")));
    }
  }

  void leave(std::string reason) { leave(Close{api::kCloseUnauthorized, std::move(reason)}); }
  void leave(Close close) {
    if (!close_) close_ = std::move(close);
  }

  Spaces& spaces_;
  Access& access_;
  std::shared_ptr<const Principal> principal_;
  SpaceName space_;  // once it listens
  std::function<void()> wake_;
  Mutex mutex_;
  std::deque<Message> unread_ GUARDED_BY(mutex_);
  std::optional<Close> close_;
  std::atomic<bool> access_changed_ = true;  // something may have changed before we were told of changes
  bool listens_ = false;
  bool started_ = false;
};

}  // namespace

void Face::open_socket(const api::CallPtr& call) {
  http::Response response;
  response.upgrade = std::make_unique<Socket>(spaces_, access_, call->shared_principal());
  call->respond(std::move(response));
}

}  // namespace syncline::kaisho
