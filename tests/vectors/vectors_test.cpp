// The vectors that ports of the sync engine replay: the files of clients/vectors are what the code makes now.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "vectors/vector_file.hpp"

namespace syncline::vectors {
namespace {

std::string stored_text(const std::string& name) {
  const std::ifstream in(std::string(SYNCLINE_VECTORS) + '/' + name, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void expect_stored(const VectorFile& file) {
  EXPECT_EQ(first_difference(stored_text(file.name()), file.to_text()), "")
      << file.name() << ": after a change that is meant, run ./dev vectors and bring the ports in line";
  EXPECT_EQ(file.missing(), std::vector<std::string>{});
}

TEST(Vectors, the_replicator_decides_as_stored) { expect_stored(make_replicator_vectors()); }
TEST(Vectors, a_device_exchanges_with_a_hub_as_stored) { expect_stored(make_outbox_vectors()); }
TEST(Vectors, versions_merge_as_stored) { expect_stored(make_merge_vectors()); }
TEST(Vectors, bodies_read_and_write_as_stored) { expect_stored(make_wire_vectors()); }

TEST(Vectors, another_back_off_is_another_replicator) {
  const VectorFile changed = make_replicator_vectors({.back_off_min_ms = 3000});
  EXPECT_NE(first_difference(stored_text(changed.name()), changed.to_text()), "");
}

TEST(Vectors, a_difference_names_its_line) {
  EXPECT_EQ(first_difference("a\nb\n", "a\nb\n"), "");
  EXPECT_EQ(first_difference("a\nb\n", "a\nc\n"), "line 2\n  stored: b\n  made:   c");
  EXPECT_EQ(first_difference("a", "a\nc"), "line 2\n  stored: (the end)\n  made:   c");
}

TEST(Vectors, what_is_required_and_not_covered_is_missing) {
  VectorFile file("f");
  file.count("once");
  file.require("once");
  EXPECT_TRUE(file.missing().empty());
  file.require("once", 2);
  file.require("never");
  EXPECT_EQ(file.missing(),
            (std::vector<std::string>{"f: 'once' 1 times, 2 required", "f: 'never' 0 times, 1 required"}));
}

}  // namespace
}  // namespace syncline::vectors
