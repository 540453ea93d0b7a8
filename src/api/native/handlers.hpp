// The handlers of the native routes, by file.
#pragma once

#include "api/call.hpp"
#include "service/access.hpp"
#include "service/spaces.hpp"

namespace syncline::native {

// push.cpp
void push(Spaces& spaces, const api::CallPtr& call);
// changes.cpp
void changes(Spaces& spaces, const api::CallPtr& call);
void list_spaces(Spaces& spaces, const api::CallPtr& call);
void list_records(Spaces& spaces, const api::CallPtr& call);
// records.cpp
void get_record(Spaces& spaces, const api::CallPtr& call);
void put_record(Spaces& spaces, const api::CallPtr& call);
void delete_record(Spaces& spaces, const api::CallPtr& call);
void history(Spaces& spaces, Access& access, const api::CallPtr& call);
// conflicts.cpp
void list_conflicts(Spaces& spaces, Access& access, const api::CallPtr& call);
void decide_conflict(Spaces& spaces, Access& access, const api::CallPtr& call);
// live_socket.cpp
void live(Spaces& spaces, Access& access, const api::CallPtr& call);
// event_stream.cpp
void events(Spaces& spaces, Access& access, const api::CallPtr& call);

}  // namespace syncline::native
