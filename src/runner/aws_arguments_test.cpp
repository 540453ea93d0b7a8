#include "runner/aws_arguments.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/environment.hpp"

namespace syncline::runner {
namespace {

/// One root, with a file in it.
class AwsArgumentsTest : public ::testing::Test {
 protected:
  AwsArgumentsTest() {
    policy_.roots = {{directory_.path(), false, "roots[0]"}};
    policy_.set_environment = {{"CREDENTIALS", "/etc/passwd"}};
    roots_.emplace(*Roots::open(policy_, {}));
    std::ofstream(directory_.path() + "/data.bin") << "data";
    std::filesystem::create_symlink("/etc/passwd", directory_.path() + "/link");
  }

  using Words = std::vector<std::string>;
  Result<Words> aws(const std::string& parameters, const std::string& operation = "list-objects",
                    const std::string& service = "s3api") {
    const std::string json = R"({"type":"aws_operation","service":")" + service + R"(","operation":")" + operation +
                             R"(","parameters":)" + parameters + "}";
    return make_aws_argv(policy_, *roots_, *make_order("cmd-1", JsonObject(JsonView(json))));
  }

  const test::TemporaryDirectory directory_;
  Policy policy_;
  std::optional<Roots> roots_;
};

TEST_F(AwsArgumentsTest, parameters_become_options_of_the_operation) {
  EXPECT_EQ(*aws(R"({"bucket":"b","maxItems":5,"dryRun":true,"paginate":false,"filters":[{"a":1}],"x-y":"--z"})"),
            (Words{"aws", "--output", "json", "--no-cli-pager", "s3api", "list-objects", "--bucket=b", "--max-items=5",
                   "--dry-run", "--no-paginate", R"(--filters=[{"a":1}])", "--x-y=--z"}));
  EXPECT_EQ((*aws("{}", "ListObjectsV2"))[5], "list-objects-v2");
}

TEST_F(AwsArgumentsTest, parameters_cannot_be_options_of_the_tool_or_invalid_names) {
  for (const std::string bad :
       {R"({"endpoint-url":"x"})", R"({"EndpointUrl":"x"})", R"({"endpoint":"x"})", R"({"prof":"x"})",
        R"({"verifySsl":false})", R"({"-a":1})", R"({"":1})", R"({"a b":1})", R"({"a=b":1})", R"({"a":null})",
        R"({"a":"x\u0000y"})", R"({"debug":true})", R"({"query":"x"})", R"({"region":"x.example.org/"})"}) {
    EXPECT_FALSE(aws(bad)) << bad;
  }
  for (const std::string bad : {"", "--debug", "a b", "a;b", "../x"}) EXPECT_FALSE(aws("{}", bad)) << bad;
}

TEST_F(AwsArgumentsTest, values_that_the_tool_replaces_are_refused) {
  for (const std::string value :
       {R"("file:///proc/self/environ")", R"("FILE:///proc/self/environ")", R"(" file:///proc/self/environ")",
        R"("fileb:///proc/self/environ")", R"("http://169.254.169.254/latest/meta-data")", R"("https://x.example.org")",
        R"("@/proc/self/environ")", R"("Key@=file:///proc/self/environ,Value=x")",
        R"(["a","file:///proc/self/environ"])", R"([{"a":{"b":"file:///proc/self/environ"}}])",
        R"("\u0066ile:///proc/self/environ")"}) {
    EXPECT_FALSE(aws(R"({"bucket":)" + value + "}")) << value;
  }
  EXPECT_TRUE(aws(R"({"prefix":"a file://, within","tag":"mail@example.org","expression":"a=:b"})"));
}

TEST_F(AwsArgumentsTest, values_that_name_a_file_outside_all_roots_are_refused) {
  const auto refused = [&](const std::string& value) { return !aws(R"({"body":")" + value + R"("})", "put-object"); };
  for (const std::string path : {"/proc/self/environ", "//proc/self/./environ", "/proc/99999/environ", "/etc/passwd",
                                 "/dev/stdin", "../x/../../x", "link", "~/../proc/self/environ",
                                 "$HOME/../proc/self/environ", "$CREDENTIALS", "${CREDENTIALS}"}) {
    EXPECT_TRUE(refused(path)) << path;
  }
  EXPECT_TRUE(refused(directory_.path() + "/link"));
  for (const std::string text :
       {"data.bin", "./data.bin", "/", "/dev", "/aws/lambda/name", "/dev/application/secret", "$LATEST", "text"}) {
    EXPECT_FALSE(refused(text)) << text;
  }
  EXPECT_FALSE(refused(directory_.path() + "/data.bin"));
  EXPECT_FALSE(aws(R"({"source":"/"})", "push", "deploy"));
}

TEST_F(AwsArgumentsTest, the_address_of_a_queue_is_a_name) {
  EXPECT_TRUE(aws(R"({"queueUrl":"https://sqs.example.org/1/queue"})", "send-message", "sqs"));
  EXPECT_FALSE(aws(R"({"queueUrl":"file:///proc/self/environ"})", "send-message", "sqs"));
  EXPECT_FALSE(aws(R"({"messageBody":"https://sqs.example.org/1/queue"})", "send-message", "sqs"));
}

TEST_F(AwsArgumentsTest, commands_of_the_tool_are_no_services) {
  for (const std::string service : {"configure", "Configure", "history", "login"}) {
    EXPECT_FALSE(aws("{}", "export-credentials", service)) << service;
  }
}

}  // namespace
}  // namespace syncline::runner
