#include "runner/roots.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "runner/file_kinds.hpp"
#include "support/environment.hpp"

namespace syncline::runner {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSecret = "the secret outside";

/// DIR/root with links that lead everywhere, DIR/outside with a secret.
class RootsTest : public testing::Test {
 protected:
  RootsTest() {
    fs::create_directories(root_ + "/a/b/c");
    fs::create_directories(outside_);
    write(outside_ + "/flag", kSecret);
    write(outside_ + "/only_outside", "");
    write(directory_.path() + "/only_beside", "");
    write(root_ + "/a/flag", "inside");
    write(root_ + "/flag", "inside");
    fs::create_symlink(outside_, root_ + "/link_absolute");
    fs::create_symlink("../outside", root_ + "/link_relative");
    fs::create_symlink("..", root_ + "/link_up");
    fs::create_symlink("../..", root_ + "/a/link_up_two");
    fs::create_symlink("/", root_ + "/link_slash");
    fs::create_symlink("/proc/self/root", root_ + "/link_proc");
    fs::create_symlink("/proc/self/cwd", root_ + "/link_cwd");
    fs::create_symlink(outside_ + "/flag", root_ + "/link_file");
    fs::create_symlink("link_file", root_ + "/link_link");
    fs::create_symlink("a", root_ + "/link_inside");
    fs::create_symlink("link_loop", root_ + "/link_loop");
    fs::create_symlink(outside_ + "/new", root_ + "/link_new");
    policy_.roots = {{root_, true, "roots[0]"}};
    roots_ = *Roots::open(policy_, {});
  }

  static void write(const std::string& path, std::string_view text) { std::ofstream(path) << text; }
  static std::string content(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static Order order(CommandType type, const std::string& path, const std::string& working_dir = "") {
    JsonObject fields;
    fields.set_text("path", path);
    fields.set_text("content", "written");
    if (!working_dir.empty()) fields.set_text("workingDir", working_dir);
    return {"cmd-1", type, std::move(fields)};
  }
  Outcome read(const std::string& path) { return read_file(roots_, order(CommandType::read_file, path), 1000); }

  void expect_outside_untouched() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(outside_)) names.push_back(entry.path().filename());
    std::ranges::sort(names);
    EXPECT_EQ(names, (std::vector<std::string>{"flag", "only_outside"}));
    EXPECT_EQ(content(outside_ + "/flag"), kSecret);
    std::size_t beside = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator(directory_.path())) ++beside;
    EXPECT_EQ(beside, 3U);
  }

  test::TemporaryDirectory directory_;
  const std::string root_ = directory_.path() + "/root";
  const std::string outside_ = directory_.path() + "/outside";
  Policy policy_;
  Roots roots_;
};

TEST_F(RootsTest, no_path_of_the_corpus_escapes_the_root) {
  std::vector<std::string> prefixes = {"",    "./",      "a/", "a/b/c/", "a/../", "./a/./b/../", "link_inside/",
                                       "a//", "nothing/"};
  for (const std::string start : {"/", "//", "/./", "/a/../", "/a/", "/link_inside/../"})
    prefixes.push_back(root_ + start);
  std::vector<std::string> targets = {"../outside/flag",
                                      "../../outside/flag",
                                      "../../../outside/flag",
                                      "../../../../outside/flag",
                                      "..",
                                      "../..",
                                      "../../../../../../../../etc/passwd",
                                      "link_absolute/flag",
                                      "link_relative/flag",
                                      "link_up/outside/flag",
                                      "link_up_two/outside/flag",
                                      "link_slash" + outside_ + "/flag",
                                      "link_proc" + outside_ + "/flag",
                                      "link_cwd/flag",
                                      "link_file",
                                      "link_link",
                                      "link_new",
                                      "link_loop",
                                      "../link_up/outside/flag",
                                      "../link_file",
                                      "..//outside//flag",
                                      "./.././outside/./flag",
                                      "link_up",
                                      "link_up/",
                                      "link_absolute/",
                                      "link_relative/../outside/flag",
                                      "link_absolute/../outside/new",
                                      "new/../../outside/new",
                                      "../outside/new",
                                      outside_ + "/flag"};
  const std::vector<std::string> whole = {outside_ + "/flag",
                                          "/etc/passwd",
                                          "//etc/passwd",
                                          "/proc/self/environ",
                                          "/proc/1/root/etc/passwd",
                                          "/dev/zero",
                                          root_ + "/../outside/flag",
                                          root_ + "2/flag",
                                          root_ + "/..",
                                          directory_.path(),
                                          "/",
                                          "//",
                                          "/..",
                                          "~",
                                          "~root/flag",
                                          std::string(outside_).insert(1, "./"),
                                          std::string("flag\0/../../outside/flag", 24),
                                          "file://" + outside_ + "/flag",
                                          std::string(5000, 'a'),
                                          "a/" + std::string(300, 'b'),
                                          "..\\outside\\flag",
                                          "%2e%2e/outside/flag",
                                          "．．/outside/flag"};
  std::vector<std::string> corpus = whole;
  for (const std::string& prefix : prefixes) {
    for (const std::string& target : targets) corpus.push_back(prefix + target);
  }
  ASSERT_GE(corpus.size(), 400U);
  for (const std::string& path : corpus) {
    for (const std::string& working_dir : {std::string(), root_ + "/a", root_ + "/link_absolute", std::string("..")}) {
      const Outcome seen = read_file(roots_, order(CommandType::read_file, path, working_dir), 1000);
      EXPECT_EQ(seen.result.find(kSecret), std::string::npos) << path;
      EXPECT_EQ(seen.result.find("root:x:0"), std::string::npos) << path;
      const Outcome listed = list_directory(roots_, order(CommandType::list_directory, path, working_dir));
      EXPECT_EQ(listed.result.find("only_"), std::string::npos) << path;
      (void)write_file(roots_, order(CommandType::write_file, path, working_dir));
    }
  }
  expect_outside_untouched();
}

TEST_F(RootsTest, a_rejection_names_its_rule) {
  EXPECT_EQ(read("../outside/flag").error, "refused by rule roots[0]: '../outside/flag' leads outside the root");
  EXPECT_EQ(read("/etc/passwd").error, "refused by rule roots[0]: '/etc/passwd' is outside all roots");
  EXPECT_EQ(read("link_absolute/flag").error, "refused by rule roots[0]: 'link_absolute/flag' leads outside the root");
}

TEST_F(RootsTest, files_inside_a_root_are_reachable_by_every_spelling) {
  for (const std::string& path : {std::string("a/flag"), root_ + "/a/flag", std::string("./a/../a/flag"),
                                  std::string("link_inside/flag"), root_ + "//a//flag"}) {
    EXPECT_EQ(JsonObject(JsonView(read(path).result)).text_of("content"), "inside") << path;
  }
  const Outcome there = read_file(roots_, order(CommandType::read_file, "flag", root_ + "/a"), 1000);
  EXPECT_EQ(there.status, CommandStatus::completed);
}

TEST_F(RootsTest, write_file_creates_directories_keeps_the_mode_and_follows_inner_links) {
  const auto write_to = [&](const std::string& path) {
    return write_file(roots_, order(CommandType::write_file, path));
  };
  EXPECT_EQ(write_to("x/y/z.txt").result, R"({"path":")" + root_ + R"(/x/y/z.txt","bytesWritten":7})");
  EXPECT_EQ(content(root_ + "/x/y/z.txt"), "written");
  fs::permissions(root_ + "/flag", fs::perms(0751));
  write_to("flag");
  EXPECT_EQ(fs::status(root_ + "/flag").permissions(), fs::perms(0751));
  fs::create_symlink("flag", root_ + "/to_flag");
  write(root_ + "/flag", "old");
  EXPECT_EQ(write_to("to_flag").error, "");
  EXPECT_EQ(content(root_ + "/flag"), "written");
  EXPECT_TRUE(fs::is_symlink(root_ + "/to_flag"));
  EXPECT_EQ(write_to("a").status, CommandStatus::failed);
  EXPECT_EQ(write_to("a/..").status, CommandStatus::failed);
}

/// Exchanges a directory and a link to the outside, again and again, while files are read and written through it.
TEST_F(RootsTest, swapping_a_link_100000_times_never_escapes_the_root) {
  constexpr int kSwaps = 100'000;
  fs::create_directory(root_ + "/swap");
  write(root_ + "/swap/flag", "inside");
  fs::create_symlink(outside_, root_ + "/other");
  std::atomic<int> swaps = 0;
  std::jthread swapper([&] {
    const std::string a = root_ + "/swap";
    const std::string b = root_ + "/other";
    for (; swaps < kSwaps; ++swaps) {
      if (::syscall(SYS_renameat2, AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), 2 /* RENAME_EXCHANGE */) == 0) continue;
      ADD_FAILURE() << "links cannot be swapped here";
      swaps = kSwaps;
    }
  });
  int inside = 0;
  int refused = 0;
  for (int round = 0; swaps < kSwaps; ++round) {
    const Outcome seen = read("swap/flag");
    ASSERT_EQ(seen.result.find(kSecret), std::string::npos);
    seen.status == CommandStatus::completed ? ++inside : ++refused;
    // Each write waits for the disk, and the swaps with it.
    if (round % 64 == 0) (void)write_file(roots_, order(CommandType::write_file, "swap/made/deep"));
    const Outcome listed = list_directory(roots_, order(CommandType::list_directory, "swap"));
    ASSERT_EQ(listed.result.find("only_"), std::string::npos);
  }
  swapper.join();
  EXPECT_GT(inside, 0);
  EXPECT_GT(refused, 0);
  expect_outside_untouched();
}

TEST_F(RootsTest, a_root_must_not_be_a_system_directory_or_contain_the_runners_files) {
  for (const std::string path : {"/", "/etc", "/usr/lib", "/proc", "/dev/shm", "/nowhere"}) {
    policy_.roots = {{path, true, "roots[0]"}};
    EXPECT_FALSE(Roots::open(policy_, {})) << path;
  }
  policy_.roots = {{root_, true, "roots[0]"}};
  EXPECT_FALSE(Roots::open(policy_, {root_ + "/data"}));
  EXPECT_FALSE(Roots::open(policy_, {root_ + "/link_inside/data"}));
  EXPECT_FALSE(Roots::open(policy_, {root_}));
  // A link in the root leads outside: whoever can write the root can lead it elsewhere.
  EXPECT_FALSE(Roots::open(policy_, {root_ + "/link_file"}));
  EXPECT_FALSE(Roots::open(policy_, {root_ + "/link_absolute/flag"}));
  fs::create_symlink(root_ + "/link_file", outside_ + "/to_link");
  EXPECT_FALSE(Roots::open(policy_, {outside_ + "/to_link"}));
  EXPECT_TRUE(Roots::open(policy_, {outside_ + "/data"}));
  policy_.read_only_paths = {{outside_, false, "read_only_paths[0]"}};
  EXPECT_FALSE(Roots::open(policy_, {outside_ + "/data"}));
  for (const std::string path : {"/", "/etc", "/proc", "/nowhere"}) {
    policy_.read_only_paths = {{path, false, "read_only_paths[0]"}};
    EXPECT_FALSE(Roots::open(policy_, {})) << path;
  }
}

TEST_F(RootsTest, nested_roots_must_agree_on_write_access) {
  const RootRule inner{root_ + "/a", false, "roots[1]"};
  for (const bool inner_first : {true, false}) {
    policy_.roots = {{root_, true, "roots[0]"}, inner};
    if (inner_first) std::swap(policy_.roots[0], policy_.roots[1]);
    EXPECT_EQ(Roots::open(policy_, {}).error().text,
              "roots[1]: " + root_ + "/a is inside " + root_ +
                  " (roots[0]), but only one of them is writable; make both writable or neither");
  }
  policy_.roots = {{root_, true, "roots[0]"}};
  policy_.read_only_paths = {inner};
  EXPECT_FALSE(Roots::open(policy_, {}));
  policy_.read_only_paths.clear();
  policy_.roots = {{root_ + "/a", true, "roots[0]"}, {root_, true, "roots[1]"}};
  ASSERT_TRUE(Roots::open(policy_, {}));
  EXPECT_EQ(Roots::open(policy_, {})->visible().front()->path, root_);
}

TEST_F(RootsTest, directories_are_listed_with_kinds_and_sizes) {
  ASSERT_EQ(::mkfifo((root_ + "/a/pipe").c_str(), 0600), 0);
  const Outcome listed = list_directory(roots_, order(CommandType::list_directory, "a"));
  std::string shape;
  JsonObject(JsonView(listed.result)).find("entries")->for_each_element([&](JsonView entry) {
    const JsonObject object(entry);
    shape += object.text_of("name") + ':' + object.text_of("type") + ' ';
  });
  EXPECT_EQ(shape, "b:directory flag:file link_up_two:symlink pipe:other ");
}

TEST_F(RootsTest, long_files_are_truncated_at_a_character_boundary) {
  write(root_ + "/long", std::string(999, 'x') + "\xC3\xA4rest");
  const JsonObject result(JsonView(read("long").result));
  EXPECT_EQ(result.text_of("content"), std::string(999, 'x'));
  EXPECT_EQ(result.find("truncated")->as_boolean(), true);
  EXPECT_EQ(result.text_of("encoding"), "utf-8");
}

}  // namespace
}  // namespace syncline::runner
