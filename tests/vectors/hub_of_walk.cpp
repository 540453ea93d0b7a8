#include "vectors/hub_of_walk.hpp"

#include <cstdlib>

namespace syncline::vectors {
namespace {

constexpr std::string_view kAccount = "a@example.org";
constexpr std::string_view kDeviceKey = "vectors-device-0123456789abcdef0123456789abcdef";
constexpr std::string_view kOtherKey = "vectors-other-0123456789abcdef0123456789abcdef";

}  // namespace

HubOfWalk::HubOfWalk(const ManualClock& clock, sim::Rules rules)
    : clock_(clock), store_(std::make_unique<MemoryStore>(clock, "e1", IncarnationId{1})) {
  plan_.rules = rules;
  plan_.has_refusals = true;
  start();
  const auto account = process_->access().add_account(kAccount, syncline::Plan::pro);
  if (!account) std::abort();
  space_ = {account->number, std::string(sim::kSpace)};
  for (const std::string_view key : {kDeviceKey, kOtherKey}) {
    if (!process_->access().add_key(kAccount, "walk", {Scope::read, Scope::write}, key)) std::abort();
  }
}

void HubOfWalk::start() {
  process_.reset();
  store_->forget_found_damage();
  store_->reopen({++openings_});
  process_ = std::make_unique<sim::HubProcess>(*store_, clock_, plan_);
}

test::Answer HubOfWalk::call(const http::ClientRequest& request) {
  return process_->call(request, std::string(kDeviceKey));
}

void HubOfWalk::write(const std::string& id, const std::string& doc, const std::string& updated_at) {
  std::string body = R"({"ops":[{"collection":"items","id":")" + id + '"';
  if (!updated_at.empty()) body += ",\"updated_at\":" + updated_at;
  body += doc.empty() ? std::string(",\"deleted\":true}]}") : ",\"doc\":" + doc + "}]}";
  const http::ClientRequest request{http::Method::post, "/v1/spaces/notes/push", std::move(body), {}};
  if (process_->call(request, std::string(kOtherKey)).status != 200) std::abort();
}

Cursor HubOfWalk::head() { return process_->spaces().cursor_at_head(space_); }

void HubOfWalk::restart() { start(); }

void HubOfWalk::keep_backup() {
  if (!store_->verify()) std::abort();
  backup_ = store_->restore("e1");
}

void HubOfWalk::restore(bool properly) {
  if (!backup_) return;
  process_.reset();
  store_ = backup_->restore(properly ? "r" + std::to_string(++restored_) : store_->epoch());
  start();
}

void HubOfWalk::purge() {
  if (!store_->purge({.history = clock_.now(), .tombstones = clock_.now(), .receipts = clock_.now()})) std::abort();
}

void HubOfWalk::rot(const std::string& id) {
  store_->rot(space_, sim::kCollection, id, [](Record& record) { record.updated_at.micros ^= 1; });
}

}  // namespace syncline::vectors
