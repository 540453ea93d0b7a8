#include "service/password_queue.hpp"

#include <utility>

#include "service/audit_entry.hpp"

namespace syncline {

bool PasswordQueue::Places::take(const std::string& client) {
  const MutexLock lock(mutex);
  if (taken >= limits.all) return false;
  if (!client.empty()) {
    std::size_t& own = by_client[client];
    if (own >= limits.per_client) return false;
    own += 1;
  }
  taken += 1;
  return true;
}

void PasswordQueue::Places::free(const std::string& client) {
  const MutexLock lock(mutex);
  taken -= 1;
  const auto found = by_client.find(client);
  if (found != by_client.end() && --found->second == 0) by_client.erase(found);
}

Result<> PasswordQueue::post(const std::string& client, std::move_only_function<void()> run) {
  if (!places_->take(client)) return fail(ErrorCode::busy, "too many logins at once; try again in a moment");
  // Freed with the function, also if a thread that stops drops it.
  std::shared_ptr<void> place(nullptr, [places = places_, client](void*) { places->free(client); });
  threads_.post([place = std::move(place), actor = ActingAs::current(), run = std::move(run)]() mutable {
    const ActingAs acting(std::move(actor));
    run();
  });
  return {};
}

}  // namespace syncline
