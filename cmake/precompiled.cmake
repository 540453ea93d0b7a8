# Headers that many sources include, compiled once. No source may depend on them: lint compiles each source without
# (tools/lint.py), so that a missing #include is an error there.
#
#   syncline_precompiled        the standard library; for the layers below the faces
#   syncline_precompiled_faces  the same, and what nearly every face includes
#   syncline_precompiled_tests  the same, and GoogleTest
#
# -fpch-preprocess lets ccache see which precompiled header a source was compiled with.
target_compile_options(syncline_flags INTERFACE -fpch-preprocess)
# For the same reason clang takes the header as g++ does, and not by its internal options, which ccache only half
# understands. It uses the .pch beside it.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  set(CMAKE_CXX_COMPILE_OPTIONS_USE_PCH -include <PCH_HEADER>)
endif()

set(standard_headers
  <algorithm> <array> <atomic> <chrono> <condition_variable> <cstdint> <expected> <functional> <map> <memory> <mutex>
  <optional> <set> <shared_mutex> <span> <string> <string_view> <thread> <unordered_map> <utility> <variant> <vector>)
set(face_headers <api/face.hpp> <api/route_builder.hpp> <api/router.hpp> <base/json_object.hpp> <base/text.hpp>)

file(WRITE ${CMAKE_BINARY_DIR}/precompiled.cpp "")

# add_precompiled(NAME LIBRARY... HEADERS HEADER...)
function(add_precompiled name)
  cmake_parse_arguments(PARSE_ARGV 1 with "" "" "HEADERS")
  add_library(${name} STATIC ${CMAKE_BINARY_DIR}/precompiled.cpp)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(${name} PRIVATE syncline_flags Threads::Threads ${with_UNPARSED_ARGUMENTS})
  target_precompile_headers(${name} PRIVATE ${with_HEADERS})
endfunction()

add_precompiled(syncline_precompiled HEADERS ${standard_headers})
add_precompiled(syncline_precompiled_faces HEADERS ${standard_headers} ${face_headers})
add_precompiled(syncline_precompiled_tests GTest::gtest HEADERS ${standard_headers} ${face_headers} <gtest/gtest.h>)
