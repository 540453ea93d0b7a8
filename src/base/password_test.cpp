#include "base/password.hpp"

#include <gtest/gtest.h>
#include <sodium.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <fstream>

namespace syncline {
namespace {

TEST(PasswordTest, the_right_password_alone_fits) {
  const auto hash = hash_password("correct horse");
  ASSERT_TRUE(hash);
  EXPECT_TRUE(hash->starts_with("$argon2id$v=19$m=65536,t=2,p=1$")) << *hash;
  EXPECT_TRUE(is_password(*hash, "correct horse"));
  EXPECT_FALSE(is_password(*hash, "correct horsf"));
  EXPECT_FALSE(is_password(*hash, ""));
  EXPECT_NE(*hash, *hash_password("correct horse")) << "each hash has a salt of its own";
}

TEST(PasswordTest, hashes_are_the_ones_of_libsodium) {
  std::array<char, crypto_pwhash_STRBYTES> theirs{};
  ASSERT_EQ(crypto_pwhash_str_alg(theirs.data(), "pässword", 9, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                                  crypto_pwhash_MEMLIMIT_INTERACTIVE, crypto_pwhash_ALG_ARGON2ID13),
            0);
  EXPECT_TRUE(is_password(theirs.data(), "pässword")) << "stores have such hashes";
  EXPECT_FALSE(is_password(theirs.data(), "password"));
  const auto ours = hash_password("pässword");
  ASSERT_TRUE(ours);
  EXPECT_EQ(crypto_pwhash_str_verify(ours->c_str(), "pässword", 9), 0);
}

TEST(PasswordTest, a_text_that_is_no_hash_fits_no_password) {
  for (const char* text :
       {"", "$", "correct horse", "$argon2id$v=19$m=65536,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA",
        "$argon2id$v=19$m=65536,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$", "$argon2id$v=19$m=65536,t=2,p=1$$aGFzaA",
        "$argon2i$v=19$m=65536,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2g",
        "$argon2id$v=19$m=4294967295,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2g",
        "$argon2id$v=19$m=65536,t=0,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2g",
        "$argon2id$v=19$m=65536,t=2,p=1$c2Fsd HNhbHRzYWx0$aGFzaGhhc2g",
        "$argon2id$v=19$m=8,t=2,p=1$c2Fs$aGFzaGhhc2g"}) {
    EXPECT_FALSE(is_password(text, "")) << text;
    EXPECT_FALSE(is_password(text, "correct horse")) << text;
  }
}

std::int64_t resident_pages() {
  std::ifstream file("/proc/self/statm");
  std::int64_t size = 0;
  std::int64_t resident = 0;
  file >> size >> resident;
  return resident;
}

TEST(PasswordTest, a_hash_keeps_no_memory) {
  ASSERT_TRUE(hash_password("first"));
  const std::int64_t before = resident_pages();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(hash_password("again"));
  EXPECT_LT((resident_pages() - before) * ::sysconf(_SC_PAGESIZE), std::int64_t{8} << 20U);
}

}  // namespace
}  // namespace syncline
