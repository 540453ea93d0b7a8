#include "app/cli.hpp"

int main(int argc, char** argv) { return syncline::app::run_cli(argc, argv); }
