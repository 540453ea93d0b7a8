# The web console (web/), packed and linked into the program.
#
#   SYNCLINE_WEB=ON    build it; npm is needed
#   SYNCLINE_WEB=OFF   leave it out: /console says so
#   SYNCLINE_WEB=AUTO  build it if there is npm
set(SYNCLINE_WEB AUTO CACHE STRING "Build the web console: ON, OFF or AUTO (if there is npm)")
set_property(CACHE SYNCLINE_WEB PROPERTY STRINGS ON OFF AUTO)

find_program(NPM npm)
if(SYNCLINE_WEB STREQUAL "AUTO" AND NOT NPM)
  message(STATUS "No npm: building without the web console")
elseif(SYNCLINE_WEB AND NOT NPM)
  message(FATAL_ERROR "The web console needs npm: install it, or configure with -DSYNCLINE_WEB=OFF")
endif()

set(console_pack ${CMAKE_BINARY_DIR}/web/console.pack)
if(SYNCLINE_WEB AND NPM)
  file(GLOB_RECURSE console_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/web/src/* ${CMAKE_SOURCE_DIR}/web/build/*)
  add_custom_command(OUTPUT ${console_pack}
    COMMAND ${CMAKE_SOURCE_DIR}/web/build.sh ${CMAKE_BINARY_DIR}/web
    DEPENDS ${console_sources} ${CMAKE_SOURCE_DIR}/web/build.sh ${CMAKE_SOURCE_DIR}/web/index.html
      ${CMAKE_SOURCE_DIR}/web/package-lock.json ${CMAKE_SOURCE_DIR}/web/tsconfig.json
      ${CMAKE_SOURCE_DIR}/web/vite.config.ts ${CMAKE_SOURCE_DIR}/src/app/sync_sentences.json
    COMMENT "Building the web console" VERBATIM)
else()
  file(CONFIGURE OUTPUT ${console_pack} CONTENT "syncline-pack 1\n\n")
endif()

# No flags of the C++ compiler here: the assembler knows none of them.
add_library(syncline_console_pack STATIC ${CMAKE_SOURCE_DIR}/src/api/console/pack.S)
set_source_files_properties(${CMAKE_SOURCE_DIR}/src/api/console/pack.S PROPERTIES
  COMPILE_DEFINITIONS "SYNCLINE_CONSOLE_PACK=\"${console_pack}\""
  OBJECT_DEPENDS ${console_pack})
