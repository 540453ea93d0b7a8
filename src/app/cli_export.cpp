// syncline export: writes spaces of this device or of a hub into a file, and resumes an interrupted export.
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/feed_file.hpp"
#include "app/feed_pages.hpp"
#include "app/interrupt.hpp"
#include "app/invocation.hpp"
#include "app/output.hpp"
#include "app/progress.hpp"
#include "base/json_object.hpp"

namespace syncline::app {
namespace {

struct ExportOptions {
  FeedServer server;
  std::vector<std::string> spaces;  // all if empty
  std::string file;                 // standard output if empty
};

struct Exported {
  std::int64_t records = 0;
  std::int64_t damaged = 0;  // of those, as far as this run has written them
  bool resumed = false;
};

Result<Exported> write_export(const ExportOptions& options, Invocation& invocation) {
  TRY(const auto server, open_server(options.server, invocation.form()));
  Exported exported;
  ExportState state;
  auto begun = options.file.empty() ? fail(ErrorCode::not_found, "") : read_export(options.file);
  if (!begun && begun.error().code != ErrorCode::not_found) return std::unexpected(begun.error());
  exported.resumed = begun.has_value();
  if (begun) {
    state = *std::move(begun);
    if (!options.spaces.empty() && options.spaces != state.spaces) {
      return fail(ErrorCode::conflict, options.file + " is an interrupted export of other spaces; choose another file");
    }
  }
  TRY(const std::vector<FeedSpace> spaces, list_spaces(*server, exported.resumed ? state.spaces : options.spaces));
  if (!exported.resumed) {
    for (const FeedSpace& space : spaces) state.spaces.push_back(space.name);
  }
  const std::string epoch = spaces.empty() ? "" : spaces.front().epoch();
  if (exported.resumed && state.epoch != epoch) {
    return fail(ErrorCode::conflict, options.file + " is an interrupted export of another store; choose another file");
  }
  state.epoch = epoch;
  const InterruptWatch watch;  // before there is a file that could be left incomplete
  TRY(FeedWriter writer,
      exported.resumed ? FeedWriter::append(options.file, state) : FeedWriter::create(options.file, state));
  std::int64_t total = 0;
  for (const FeedSpace& space : spaces) total += space.seq;
  std::atomic<std::int64_t> passed = 0;
  std::int64_t passed_spaces = 0;
  for (std::size_t i = 0; i < state.at && i < spaces.size(); ++i) passed_spaces += spaces[i].seq;
  const Progress progress("exporting", invocation.form(), [&] { return bar_text(passed, total); });
  for (; state.at < spaces.size(); ++state.at, state.cursor = "0") {
    const FeedSpace& space = spaces[state.at];
    for (bool more = true; more;) {
      if (InterruptWatch::interrupted()) {
        invocation.exit_code = kExitInterrupted;
        return fail(ErrorCode::unavailable,
                    options.file.empty() ? "interrupted" : "interrupted; run the same command again to resume");
      }
      auto page = read_page(*server, space.name, state.cursor);
      if (!page && advice_of(page.error().code) == Advice::resync) {
        return fail(ErrorCode::conflict,
                    "cannot resume the export: the history of " + space.name + " has changed; choose another file");
      }
      if (!page) return std::unexpected(page.error());
      page->for_each_change([&](JsonView change) {
        writer.add_record(space.name, change);
        ++state.records;
        if (change.find("damaged")) ++exported.damaged;
        const auto seq = change.find("seq");
        passed = passed_spaces + (seq ? seq->as_integer().value_or(0) : 0);
      });
      state.cursor = page->cursor;
      more = page->more;
      CHECK_OK(writer.add_cursor(space.name, state.cursor, more));
    }
    passed_spaces += space.seq;
  }
  CHECK_OK(writer.add_end(state.records));
  exported.records = state.records;
  return exported;
}

Result<> run_export(const ExportOptions& options, Invocation& invocation) {
  TRY(const Exported exported, write_export(options, invocation));
  const OutputForm form = invocation.form();
  if (exported.damaged > 0) {
    print_note(std::to_string(exported.damaged) +
                   " records are damaged in the store and were exported without their documents",
               options.file.empty() ? OutputForm::text : form);
  }
  if (options.file.empty()) return {};  // standard output has the records
  std::string out;
  JsonWriter(out)
      .begin_object()
      .string("file", options.file)
      .integer("records", exported.records)
      .integer("damaged", exported.damaged)
      .boolean("resumed", exported.resumed)
      .end_object();
  print_result(out, form);
  return {};
}

}  // namespace

void define_export(Command root, Invocation& invocation) {
  const auto options = std::make_shared<ExportOptions>();
  options->server.node.missing = DataDirectory::Missing::refuse;
  const Command exporting = root.add("export", "Export spaces of this device or a hub as lines of JSON (NDJSON)");
  add_feed_server_options(exporting, options->server, invocation);
  exporting.option("SPACE", options->spaces, "spaces to export").defaults_to("all");
  exporting.option("-o,--out FILE", options->file, "file to write; resumes an interrupted export in it")
      .defaults_to("standard output");
  exporting.example("syncline export -o memory.ndjson kernle/claire");
  exporting.on_run([&invocation, options] { return run_export(*options, invocation); });
}

}  // namespace syncline::app
