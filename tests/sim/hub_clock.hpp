// The clock of the simulated hub: each process of it has its own, on one machine whose clock may be set to anything.
#pragma once

#include <memory>

#include "service/trusted_clock.hpp"

namespace syncline::sim {

class HubClock final : public Clock {
 public:
  /// `steady` runs evenly whatever `wall` says.
  HubClock(const Clock& wall, const Clock& steady) : wall_(wall), steady_(steady) { restart(); }

  /// A new process, which knows nothing yet.
  void restart() {
    current_ = std::make_unique<TrustedClock>(
        TrustedClock::Of::hub,
        TrustedClock::Source{[this] { return wall_.now(); }, [this] { return steady_.now().micros; }});
  }
  [[nodiscard]] TrustedClock& current() { return *current_; }

  [[nodiscard]] Timestamp now() const override { return current_->now(); }
  [[nodiscard]] Timestamp latest() const override { return current_->latest(); }
  [[nodiscard]] bool is_trusted() const override { return current_->is_trusted(); }
  void note_stamp(Timestamp stamp, Witness witness) const override { current_->note_stamp(stamp, witness); }

 private:
  const Clock& wall_;
  const Clock& steady_;
  std::unique_ptr<TrustedClock> current_;
};

}  // namespace syncline::sim
