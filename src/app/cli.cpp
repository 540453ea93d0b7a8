#include "app/cli.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "app/exit_codes.hpp"
#include "app/invocation.hpp"
#include "app/output.hpp"
#include "app/program_texts.hpp"
#include "base/bytes.hpp"
#include "base/log.hpp"

namespace syncline::app {
namespace {

void define_all(CommandLine& line, Invocation& invocation) {
  const Command root = line.root();
  if (invocation.called_as == CalledAs::kernle) {
    define_kernle(root, invocation);
    line.add_help_commands();
    return;
  }
  root.example("syncline account add me@example.org --plan pro");
  root.example("syncline key add --account me@example.org --label laptop --scopes read,write");
  root.example("syncline hub --listen 127.0.0.1:8080");
  root.example("syncline login http://127.0.0.1:8080 --key-file key.txt");
  root.example("syncline -a claire sync full");
  define_hub(root, invocation);
  define_administration(root, invocation);
  define_audit(root, invocation);
  define_data_and_settings(root, invocation);
  define_runner(root, invocation);
  define_commands(root, invocation);
  define_node(root, invocation);
  define_tail(root, invocation);
  define_export(root, invocation);
  define_import(root, invocation);
  define_documentation(root, line);
  line.add_help_commands();
  add_sections(root);
}

CalledAs caller_in(const char* path) {
  const std::string_view name(path == nullptr ? "" : path);
  return name.substr(name.rfind('/') + 1) == "kernle" ? CalledAs::kernle : CalledAs::syncline;
}

/// Overwrites keys among the arguments: the list of processes shows them to everybody.
void hide_secrets(int argc, char** argv) {
  for (int i = 1; i < argc && argv[i] != nullptr; ++i) {
    const std::string_view word(argv[i]);
    for (const std::string_view option : {"--key", "--token", "--api-key", "-k"}) {
      char* secret = nullptr;
      if (word == option && i + 1 < argc) secret = argv[i + 1];
      if (word.starts_with(option) && word.substr(option.size()).starts_with('=')) secret = argv[i] + option.size() + 1;
      if (secret != nullptr) std::memset(secret, '*', std::strlen(secret));
    }
  }
}

}  // namespace

int run_cli(int argc, char** argv) {
  if (!initialise_crypto()) {
    std::fputs("syncline: cannot initialise cryptography: the system provides no random numbers\n", stderr);
    return kExitFailure;
  }
  set_log_level(LogLevel::warning);
  Invocation invocation;
  invocation.called_as = caller_in(argc > 0 ? argv[0] : nullptr);
  CommandLine line(name_of(invocation.called_as), program_info(invocation.called_as));
  define_all(line, invocation);
  const auto action = line.parse(argc, argv);
  if (!action) {
    const bool json =  // the option may come behind what cannot be parsed
        std::any_of(argv, argv + argc, [](const char* word) { return std::string_view(word) == "--json"; });
    print_error(action.error(), json ? OutputForm::json : OutputForm::text, kExitUsage, name_of(invocation.called_as));
    return kExitUsage;
  }
  hide_secrets(argc, argv);
  if (invocation.no_color) ::setenv("NO_COLOR", "1", 1);  // before there is a second thread
  const auto done = (*action)();
  if (done) return invocation.exit_code;
  const int exit_code = invocation.exit_code != kExitOk ? invocation.exit_code : exit_code_of(done.error().code);
  print_error(done.error(), invocation.form(), exit_code, name_of(invocation.called_as));
  return exit_code;
}

}  // namespace syncline::app
