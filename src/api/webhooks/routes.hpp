// Webhooks: setting them up, and what became of their messages.
#pragma once

#include "api/face.hpp"

namespace syncline::webhooks {

/// A webhook as answers show it; with its secret where that is said: when it is made, and when it is rotated.
[[nodiscard]] std::string webhook_text(const Webhook& webhook, bool with_secret);
/// {"deliveries": [...]}
[[nodiscard]] std::string deliveries_text(const std::vector<Delivery>& deliveries);

/// A key sees and changes the webhooks of its account; a change also wakes the sender. Errors are Kernle's, whose
/// clients these routes are published for.
class Face final : public api::Face {
 public:
  explicit Face(const api::FaceParts& parts)
      : subscriptions_(parts.subscriptions),
        deliveries_(parts.deliveries),
        access_(parts.access),
        wake_sender_(parts.wake_sender) {}

  [[nodiscard]] std::vector<api::Route> make_routes() override;

 private:
  void add_webhook(const api::CallPtr& call);
  void list_webhooks(const api::CallPtr& call);
  void get_webhook(const api::CallPtr& call);
  void change_webhook(const api::CallPtr& call);
  void remove_webhook(const api::CallPtr& call);
  void rotate_secret(const api::CallPtr& call);
  void list_deliveries(const api::CallPtr& call);
  void replay_delivery(const api::CallPtr& call);
  /// In the audit log.
  void note(const api::Call& call, std::string_view action, const std::string& webhook);

  Subscriptions& subscriptions_;
  DeliveryQueue& deliveries_;
  Access& access_;
  const std::function<void()> wake_sender_;
};

[[nodiscard]] api::FaceModule make_module();

}  // namespace syncline::webhooks
