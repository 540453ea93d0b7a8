// Each thing that a browser says of a passkey, made wrong alone.
#include "service/passkey_check.hpp"

#include <gtest/gtest.h>

#include <array>

#include "support/authenticator.hpp"

namespace syncline::passkey {
namespace {

using test::Authenticator;
using test::Ceremony;

const Site kSite{.origin = "https://hub.example.org", .rp_id = "hub.example.org"};
const std::string kChallenge(32, 'c');
constexpr std::array kKinds = {SignatureKind::es256, SignatureKind::ed25519, SignatureKind::rs256};

bool is_ours(std::string_view challenge) { return challenge == kChallenge; }

/// The text of the error; empty if there is none.
template <typename T>
std::string fault_of(const Result<T>& result, ErrorCode code) {
  if (result) return "";
  EXPECT_EQ(result.error().code, code);
  return result.error().text;
}

class AssertionTest : public testing::Test {
 protected:
  Assertion signed_by(const Authenticator& device, const Ceremony& ceremony) {
    Assertion assertion{.credential = "id",
                        .client_data = test::client_data_of(ceremony),
                        .authenticator_data = test::authenticator_data_of(ceremony)};
    assertion.signature = device.sign(assertion.authenticator_data, assertion.client_data);
    return assertion;
  }
  std::string check(const Assertion& assertion) {
    return fault_of(check_assertion(kSite, known_, assertion, is_ours), ErrorCode::unauthorized);
  }
  /// All that is wrong with it is what the ceremony says: the signature is right.
  std::string check(const Ceremony& ceremony) { return check(signed_by(device_, ceremony)); }

  const Authenticator device_;
  Known known_{SignatureKind::es256, device_.public_key(), 0};
  Ceremony good_{.challenge = kChallenge};
};

TEST_F(AssertionTest, a_right_one_is_accepted_of_every_kind) {
  for (const SignatureKind kind : kKinds) {
    const Authenticator device(kind);
    const Known known{kind, device.public_key(), 6};
    good_.counter = 7;
    const auto counter = check_assertion(kSite, known, signed_by(device, good_), is_ours);
    ASSERT_TRUE(counter) << counter.error().text;
    EXPECT_EQ(*counter, 7U);
  }
}

TEST_F(AssertionTest, the_challenge_must_be_ours) {
  good_.challenge = std::string(32, 'x');
  EXPECT_NE(check(good_).find("challenge"), std::string::npos);
  good_.challenge = "";
  EXPECT_NE(check(good_).find("challenge"), std::string::npos);
}

TEST_F(AssertionTest, the_type_must_be_that_of_signing_in) {
  good_.type = "webauthn.create";
  EXPECT_NE(check(good_).find("type"), std::string::npos);
}

TEST_F(AssertionTest, the_origin_must_be_that_of_the_hub) {
  for (const char* origin : {"https://evil.example", "http://hub.example.org", "https://hub.example.org:8443",
                             "https://hub.example.org.evil.example", ""}) {
    good_.origin = origin;
    EXPECT_NE(check(good_).find("the page is of"), std::string::npos) << origin;
  }
}

TEST_F(AssertionTest, the_page_must_not_be_inside_of_another) {
  good_.cross_origin = "true";
  EXPECT_NE(check(good_).find("part of a page elsewhere"), std::string::npos);
  good_.cross_origin = "\"false\"";
  EXPECT_NE(check(good_).find("part of a page elsewhere"), std::string::npos);
  good_.cross_origin = "";
  EXPECT_EQ(check(good_), "") << "browsers may leave it out";
}

TEST_F(AssertionTest, the_host_must_be_that_of_the_hub) {
  good_.rp_id = "example.org";
  EXPECT_NE(check(good_).find("another host"), std::string::npos);
}

TEST_F(AssertionTest, somebody_must_be_there_and_be_verified) {
  good_.flags = 0x04;
  EXPECT_NE(check(good_).find("nobody was there"), std::string::npos);
  good_.flags = 0x01;
  EXPECT_NE(check(good_).find("who you are"), std::string::npos);
}

TEST_F(AssertionTest, the_signature_must_be_over_these_bytes) {
  const Assertion right = signed_by(device_, good_);
  EXPECT_EQ(check(right), "");
  Assertion wrong = right;
  wrong.authenticator_data[36] = 1;  // the counter
  EXPECT_EQ(check(wrong), kUnknown);
  wrong = right;
  wrong.client_data.insert(1, " ");
  EXPECT_EQ(check(wrong), kUnknown);
  wrong = right;
  wrong.signature.back() = static_cast<char>(wrong.signature.back() ^ 1);
  EXPECT_EQ(check(wrong), kUnknown);
  wrong.signature.clear();
  EXPECT_EQ(check(wrong), kUnknown);
  EXPECT_EQ(check(signed_by(Authenticator(), good_)), kUnknown) << "another key";
}

TEST_F(AssertionTest, the_key_must_be_of_its_algorithm) {
  for (const SignatureKind of_key : kKinds) {
    const Authenticator device(of_key);
    for (const SignatureKind said : kKinds) {
      known_ = {said, device.public_key(), 0};
      EXPECT_EQ(check(signed_by(device, good_)), said == of_key ? "" : kUnknown)
          << static_cast<int>(of_key) << ' ' << static_cast<int>(said);
    }
  }
}

TEST_F(AssertionTest, the_counter_must_go_on) {
  known_.counter = 5;
  for (const std::uint32_t counter : {0U, 4U, 5U}) {
    good_.counter = counter;
    EXPECT_NE(check(good_).find("counted"), std::string::npos) << counter;
  }
  good_.counter = 6;
  EXPECT_EQ(check(good_), "");
  good_.counter = 0x80000000U;
  EXPECT_EQ(check(good_), "");
  known_.counter = 0;
  good_.counter = 0;
  EXPECT_EQ(check(good_), "") << "many never count";
}

TEST_F(AssertionTest, what_is_cut_or_no_json_is_refused) {
  Assertion cut = signed_by(device_, good_);
  cut.authenticator_data.resize(36);
  cut.signature = device_.sign(cut.authenticator_data, cut.client_data);
  EXPECT_NE(check(cut).find("too short"), std::string::npos);
  for (const std::string& text : {std::string("{"), std::string("[]"), std::string(), std::string(9000, ' ') + "{}"}) {
    Assertion odd = signed_by(device_, good_);
    odd.client_data = text;
    odd.signature = device_.sign(odd.authenticator_data, odd.client_data);
    EXPECT_NE(check(odd), "") << text.substr(0, 10);
  }
}

class RegistrationTest : public testing::Test {
 protected:
  Registration made_with(const Authenticator& device, SignatureKind kind) {
    return {.credential = "credential",
            .client_data = test::client_data_of(good_),
            .authenticator_data = test::authenticator_data_of(good_),
            .kind = kind,
            .public_key = device.public_key()};
  }
  static std::string check(const Registration& registration) {
    return fault_of(check_registration(kSite, registration, is_ours), ErrorCode::invalid_argument);
  }
  std::string check() { return check(made_with(device_, SignatureKind::es256)); }

  const Authenticator device_;
  Ceremony good_{.type = "webauthn.create", .challenge = kChallenge, .flags = 0x45, .credential = "credential"};
};

TEST_F(RegistrationTest, a_right_one_is_accepted_of_every_kind) {
  good_.counter = 3;
  for (const SignatureKind kind : kKinds) {
    const Authenticator device(kind);
    const auto known = check_registration(kSite, made_with(device, kind), is_ours);
    ASSERT_TRUE(known) << known.error().text;
    EXPECT_EQ(known->kind, kind);
    EXPECT_EQ(known->public_key, device.public_key());
    EXPECT_EQ(known->counter, 3U);
  }
}

TEST_F(RegistrationTest, it_is_checked_like_an_assertion) {
  const Ceremony good = good_;
  EXPECT_EQ(check(), "");
  const auto check_with = [&](const std::function<void(Ceremony&)>& spoil) {
    good_ = good;
    spoil(good_);
    return check();
  };
  EXPECT_NE(check_with([](Ceremony& c) { c.type = "webauthn.get"; }), "");
  EXPECT_NE(check_with([](Ceremony& c) { c.challenge = "other"; }), "");
  EXPECT_NE(check_with([](Ceremony& c) { c.origin = "https://evil.example"; }), "");
  EXPECT_NE(check_with([](Ceremony& c) { c.cross_origin = "true"; }), "");
  EXPECT_NE(check_with([](Ceremony& c) { c.rp_id = "example.org"; }), "");
  EXPECT_NE(check_with([](Ceremony& c) { c.flags = 0x44; }), "") << "nobody was there";
  EXPECT_NE(check_with([](Ceremony& c) { c.flags = 0x41; }), "") << "nobody was verified";
}

TEST_F(RegistrationTest, the_credential_must_be_the_one_that_was_made) {
  good_.flags = 0x05;
  EXPECT_NE(check().find("no credential"), std::string::npos);
  good_.flags = 0x45;
  good_.credential = "another";
  EXPECT_NE(check().find("another credential"), std::string::npos);
  good_.credential = "credential";
  Registration cut = made_with(device_, SignatureKind::es256);
  cut.authenticator_data.resize(37 + 18 + 5);
  EXPECT_NE(check(cut).find("too short"), std::string::npos);
  cut.authenticator_data.resize(37);
  EXPECT_NE(check(cut).find("no credential"), std::string::npos);
  good_.credential = std::string(1024, 'x');
  Registration large = made_with(device_, SignatureKind::es256);
  large.credential = good_.credential;
  EXPECT_NE(check(large), "");
}

TEST_F(RegistrationTest, the_key_must_be_of_its_algorithm_and_strong) {
  for (const SignatureKind of_key : kKinds) {
    const Authenticator device(of_key);
    for (const SignatureKind said : kKinds) EXPECT_EQ(check(made_with(device, said)).empty(), said == of_key);
  }
  EXPECT_NE(check(made_with(Authenticator("P-384"), SignatureKind::es256)), "");
  EXPECT_NE(check(made_with(Authenticator("RSA1024"), SignatureKind::rs256)), "");
  Registration longer = made_with(device_, SignatureKind::es256);
  longer.public_key += '\0';
  EXPECT_NE(check(longer), "");
  longer.public_key = "";
  EXPECT_NE(check(longer), "");
}

TEST(PasskeyKinds, are_three) {
  for (const std::int64_t algorithm : {-7, -8, -257}) EXPECT_TRUE(parse_kind(algorithm)) << algorithm;
  for (const std::int64_t algorithm : {0, 7, -37, -35, -65535, -65543})
    EXPECT_FALSE(parse_kind(algorithm)) << algorithm;
}

}  // namespace
}  // namespace syncline::passkey
