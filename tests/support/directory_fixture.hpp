// Tests of the directory contract, run against each implementation by its name.
#pragma once

#include "support/store_fixture.hpp"

namespace syncline::test {

class DirectoryFixture : public StoreFixture {
 protected:
  void write(const DirectoryWriteFunction& run) {
    const auto written = directory().write(run);
    ASSERT_TRUE(written) << written.error().text;
  }
  void read(const DirectoryReadFunction& run) {
    const auto done = directory().read(run);
    ASSERT_TRUE(done) << done.error().text;
  }
  Directory& directory() { return store_->directory(); }
};

inline auto all_directories() { return testing::Values("memory", "sqlite", "twice"); }

}  // namespace syncline::test
