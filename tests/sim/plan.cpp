#include "sim/plan.hpp"

namespace syncline::sim {

Plan draw_plan(Random& random) {
  Plan plan;
  plan.nodes = static_cast<int>(random.between(1, 4));
  plan.records = static_cast<int>(random.between(1, 8));
  plan.writes = static_cast<int>(random.between(5, 80));
  plan.safety_ms = random.between(5'000, 120'000);
  plan.rules = static_cast<Rules>(random.between(0, 2));
  const bool tiny = random.chance(0.4);
  plan.limits.ops_max = tiny ? static_cast<std::size_t>(random.between(1, 3)) : 500;
  plan.limits.bytes_max = tiny ? static_cast<std::size_t>(random.between(1, 400)) : 4UL << 20U;
  plan.limits.page_max = tiny ? random.between(1, 3) : 500;
  plan.settings.window_ms = random.chance(0.5) ? 2000 : random.between(0, 3000);
  plan.settings.interval_ms = random.chance(0.5) ? 300'000 : random.between(5'000, 60'000);
  plan.settings.step_timeout_ms = random.between(3'000, 20'000);

  plan.latency_max_ms = random.chance(0.3) ? random.between(20, 5'000) : random.between(1, 50);
  if (random.chance(0.4)) plan.loss = static_cast<double>(random.between(1, 30)) / 100;
  if (random.chance(0.4)) plan.duplicates = static_cast<double>(random.between(1, 50)) / 100;
  const auto rate = [&random](double probability) {
    return random.chance(probability) ? 1.0 / static_cast<double>(random.between(2, 60)) : 0;
  };
  plan.node_crashes = rate(0.4);
  plan.hub_crashes = rate(0.3);
  plan.partitions = rate(0.4);
  plan.pauses = rate(0.2);
  plan.clocks_are_off = random.chance(0.4);
  plan.clocks_jump = random.chance(0.2);
  plan.has_stamped_writes = random.chance(0.3);
  plan.has_outsider = random.chance(0.3);
  plan.has_refusals = random.chance(0.25);
  plan.loses_keys = random.chance(0.15);
  plan.clones_a_node = random.chance(0.1);
  plan.restores_hub = random.chance(0.15);
  plan.purges = random.chance(0.2);
  return plan;
}

std::string Plan::to_text() const {
  std::string text = std::to_string(nodes) + " nodes, " + std::to_string(records) + " records, " +
                     std::to_string(writes) + " writes in " + std::to_string(safety_ms / 1000) + " s, rules " +
                     std::to_string(static_cast<int>(rules)) + ", batch " + std::to_string(limits.ops_max) + ", page " +
                     std::to_string(limits.page_max) + ", window " + std::to_string(settings.window_ms) +
                     ", latency to " + std::to_string(latency_max_ms) + " ms";
  const auto add = [&text](bool is_there, const char* name) {
    if (is_there) text += std::string(", ") + name;
  };
  add(loss > 0, "loss");
  add(duplicates > 0, "duplicates");
  add(node_crashes > 0, "node crashes");
  add(hub_crashes > 0, "hub crashes");
  add(partitions > 0, "partitions");
  add(pauses > 0, "pauses");
  add(clocks_are_off, "clocks off");
  add(clocks_jump, "clocks jump");
  add(has_stamped_writes, "stamped writes");
  add(has_outsider, "an outsider");
  add(has_refusals, "refusals");
  add(loses_keys, "lost keys");
  add(clones_a_node, "a clone");
  add(restores_hub, "hub restored");
  add(purges, "purges");
  return text;
}

}  // namespace syncline::sim
