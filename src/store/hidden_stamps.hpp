// The stamps that merges compare and that no client sees.
#pragma once

#include "base/time.hpp"

namespace syncline {

/// Record::effective_at and Record::claimed_at.
struct HiddenStamps {
  Timestamp effective_at;
  Timestamp claimed_at;
};

}  // namespace syncline
