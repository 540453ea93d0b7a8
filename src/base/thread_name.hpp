// The name of the calling thread, as `top -H` and debuggers show it. At most 15 bytes.
#pragma once

#include <pthread.h>

namespace syncline {

inline void name_thread(const char* name) { (void)::pthread_setname_np(::pthread_self(), name); }

}  // namespace syncline
