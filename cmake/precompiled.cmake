# The standard headers that most files use, compiled once; every library reuses the result.
file(WRITE ${CMAKE_BINARY_DIR}/precompiled.cpp "")
# -fpch-preprocess lets ccache see which precompiled header a file was compiled with.
target_compile_options(syncline_flags INTERFACE -fpch-preprocess)
add_library(syncline_precompiled STATIC ${CMAKE_BINARY_DIR}/precompiled.cpp)
target_link_libraries(syncline_precompiled PRIVATE syncline_flags Threads::Threads)
target_precompile_headers(syncline_precompiled PRIVATE
  <algorithm> <array> <atomic> <chrono> <condition_variable> <cstdint> <expected> <functional> <map> <memory> <mutex>
  <optional> <set> <shared_mutex> <span> <string> <string_view> <thread> <unordered_map> <utility> <variant> <vector>)
