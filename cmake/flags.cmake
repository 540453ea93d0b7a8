# Compiler settings of every target. Warnings are errors; assertions stay on in every build.
add_library(syncline_flags INTERFACE)

target_compile_options(syncline_flags INTERFACE
  -Wall -Wextra -Wpedantic -Werror
  -Wconversion -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wnull-dereference
  -Wold-style-cast -Wimplicit-fallthrough
  -fno-omit-frame-pointer
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)

# Designated initializers leave out members on purpose: those have defaults.
target_compile_options(syncline_flags INTERFACE -Wno-missing-field-initializers)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports these inside its own std::string and std::variant when it inlines them under optimisation or
  # instrumentation; none of the reports named code of ours.
  target_compile_options(syncline_flags INTERFACE
    -Wno-null-dereference -Wno-maybe-uninitialized -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread
    -Wno-array-bounds)
else()
  target_compile_options(syncline_flags INTERFACE -Wno-missing-designated-field-initializers)
endif()

# RelWithDebInfo without NDEBUG: an assertion means a bug of ours and must be seen in production too.
# -g1 keeps line numbers in crash reports at a third of the link time of full debug information.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")
# Only the sanitizers build with these. At -O1 the address-sanitized build takes half as long again, and its tests are
# no faster: most of them wait.
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")

if(SYNCLINE_SANITIZE)
  target_compile_options(syncline_flags INTERFACE -fsanitize=${SYNCLINE_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(syncline_flags INTERFACE -fsanitize=${SYNCLINE_SANITIZE})
  if(SYNCLINE_SANITIZE MATCHES "thread")
    # Boost and libstdc++ use atomic_thread_fence, which ThreadSanitizer does not model; no fence orders data of ours.
    target_compile_options(syncline_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
  endif()
else()
  target_compile_definitions(syncline_flags INTERFACE _GLIBCXX_ASSERTIONS _FORTIFY_SOURCE=2)
  target_compile_options(syncline_flags INTERFACE -fstack-protector-strong -fstack-clash-protection -fcf-protection)
  target_link_options(syncline_flags INTERFACE -Wl,-z,relro,-z,now)
endif()

# For code that waits for people, processes and networks and computes next to nothing: -O1 compiles it in two thirds of
# the time. A target, or source files of the current folder.
function(optimise_lightly target)
  target_compile_options(${target} PRIVATE $<$<CONFIG:RelWithDebInfo>:-O1>)
endfunction()
function(optimise_sources_lightly)
  set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS $<$<CONFIG:RelWithDebInfo>:-O1>)
endfunction()
