// The commands of the program when it is called as kernle: those that Kernle documents, over this device's node.
#include <cstdlib>

#include "app/invocation.hpp"
#include "app/node_access.hpp"

namespace syncline::app {

void define_kernle(Command root, Invocation& invocation) {
  const auto options = std::make_shared<NodeOptions>();
  for (const char* variable : {"KERNLE_STACK_ID", "KERNLE_AGENT_ID"}) {
    if (const char* agent = std::getenv(variable); agent != nullptr && *agent != '\0') options->agent = agent;
  }
  add_agent_option(root, *options).defaults_to("$KERNLE_AGENT_ID or $KERNLE_STACK_ID");
  root.example("kernle auth login --backend-url https://hub.example.org --api-key KEY");
  root.example("kernle -a claire sync full");
  root.example("kernle -a claire search gateway logs");
  define_sync(root, invocation, options);
  define_search(root, invocation, options, "kernle -a claire search gateway logs");
  define_kernle_login(root, invocation, options);
}

}  // namespace syncline::app
