// The loop of a thread that carries the requests of a replica's spaces: waits for one that has something to do, and
// takes its steps one after the other. Any number of threads may run it on one set.
#pragma once

#include "replica/space_set.hpp"

namespace syncline::replica {

/// Returns once a stop is requested.
void take_steps(SpaceSet& spaces, const std::stop_token& stop);

}  // namespace syncline::replica
