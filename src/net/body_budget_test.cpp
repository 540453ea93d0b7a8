#include "net/body_budget.hpp"

#include <gtest/gtest.h>

namespace syncline::net {
namespace {

using Verdict = BodyBudget::Verdict;

TEST(BodyBudgetTest, a_payer_has_no_more_than_its_share_in_all_its_bodies) {
  BodyBudget budget({.all = 100, .share = 40, .granted = 0});
  BodyBudget::Charge first;
  BodyBudget::Charge second;
  first.begin(budget, "ann");
  second.begin(budget, "ann");
  EXPECT_EQ(first.grow_to(30), Verdict::taken);
  EXPECT_EQ(second.grow_to(10), Verdict::taken);
  EXPECT_EQ(second.grow_to(11), Verdict::share_is_used_up);
  EXPECT_EQ(budget.bytes(), 40U) << "what was refused is not counted";
  first.release();
  EXPECT_EQ(second.grow_to(40), Verdict::taken);
  EXPECT_EQ(second.grow_to(20), Verdict::taken) << "a body does not shrink";
  EXPECT_EQ(budget.bytes(), 40U);
}

TEST(BodyBudgetTest, a_payer_gets_what_is_granted_when_others_have_taken_everything) {
  BodyBudget budget({.all = 100, .share = 60, .granted = 10});
  BodyBudget::Charge ann;
  BodyBudget::Charge bob;
  BodyBudget::Charge cid;
  ann.begin(budget, "ann");
  bob.begin(budget, "bob");
  cid.begin(budget, "cid");
  EXPECT_EQ(ann.grow_to(60), Verdict::taken);
  EXPECT_EQ(bob.grow_to(40), Verdict::taken);
  EXPECT_EQ(bob.grow_to(41), Verdict::all_is_used_up);
  EXPECT_EQ(cid.grow_to(10), Verdict::taken);
  EXPECT_EQ(cid.grow_to(11), Verdict::all_is_used_up);
  ann.release();
  EXPECT_EQ(cid.grow_to(11), Verdict::taken);
}

TEST(BodyBudgetTest, the_peak_is_of_the_time_since_it_was_taken) {
  BodyBudget budget({.all = 100, .share = 100, .granted = 0});
  {
    BodyBudget::Charge charge;
    charge.begin(budget, "ann");
    EXPECT_EQ(charge.grow_to(70), Verdict::taken);
  }
  EXPECT_EQ(budget.bytes(), 0U);
  EXPECT_EQ(budget.take_peak(), 70U);
  EXPECT_EQ(budget.take_peak(), 0U);
}

TEST(BodyBudgetTest, many_payers_are_forgotten_with_their_bodies) {
  BodyBudget budget({.all = 1000, .share = 5, .granted = 0});
  for (int number = 0; number < 1000; ++number) {
    BodyBudget::Charge charge;
    charge.begin(budget, std::to_string(number));
    EXPECT_EQ(charge.grow_to(5), Verdict::taken);
  }
  EXPECT_EQ(budget.bytes(), 0U);
}

}  // namespace
}  // namespace syncline::net
