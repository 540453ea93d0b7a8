#include "app/cli.hpp"
#include "base/private_files.hpp"

int main(int argc, char** argv) {
  syncline::keep_new_files_private();
  return syncline::app::run_cli(argc, argv);
}
