// Tokens and their file.

#include "actors/gateway/token_guard.hpp"
#include "actors/gateway/token_store.hpp"
#include "tests/gateway/server_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <sys/stat.h>

using namespace ebb;

namespace {

constexpr micros now = 1'700'000'000 * micros_per_second;
constexpr micros hour = 3'600 * micros_per_second;
using verdict = token_store::verdict;

} // namespace

BOOST_AUTO_TEST_SUITE(tokens)

BOOST_AUTO_TEST_CASE(knows_a_token_and_no_other) {
  token_store store;
  const auto made = store.create({access_role::submitter, {"orders"}, now + hour}, now);
  BOOST_REQUIRE(made);
  const auto& text = made->text;
  BOOST_TEST(text.size() == 77U);
  BOOST_TEST(store.to_text().find(text.substr(13)) == std::string::npos);
  const auto good = store.check(text, now);
  BOOST_TEST((good.what == verdict::good));
  BOOST_TEST((good.record->role == access_role::submitter));
  BOOST_TEST(good.record->topics.at(0) == "orders");
  // Every character counts.
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto wrong = text;
    wrong[i] = wrong[i] == 'a' ? 'b' : 'a';
    BOOST_TEST((store.check(wrong, now).what == verdict::unknown));
  }
  for (const std::string& wrong : {std::string(), std::string("ebb_"), text + 'a',
                                   text.substr(0, text.size() - 1), std::string(77, '\0')})
    BOOST_TEST((store.check(wrong, now).what == verdict::unknown));
}

BOOST_AUTO_TEST_CASE(lets_tokens_expire_and_be_revoked) {
  token_store store;
  const auto made = store.create({access_role::viewer, {}, now + hour}, now);
  BOOST_REQUIRE(made);
  BOOST_TEST((store.check(made->text, now + hour - 1).what == verdict::good));
  BOOST_TEST((store.check(made->text, now + hour).what == verdict::expired));
  BOOST_TEST(!store.create({access_role::viewer, {}, now}, now));
  BOOST_TEST(!store.create({access_role::viewer, {"No Topic"}, max_time}, now));
  BOOST_TEST(static_cast<bool>(store.revoke(made->record.id)));
  BOOST_TEST((store.check(made->text, now).what == verdict::unknown));
  BOOST_TEST((store.revoke(made->record.id).error().code == ec::not_found));
}

BOOST_AUTO_TEST_CASE(comes_back_from_its_file) {
  const test::scratch_folder folder;
  const token_file file(folder.path());
  const auto none = file.load();
  BOOST_REQUIRE(none);
  BOOST_TEST(!none->has_value());
  token_store store;
  const auto first = store.create({access_role::operator_, {}, max_time}, now);
  BOOST_TEST(
      static_cast<bool>(store.create({access_role::submitter, {"a", "b"}, now + hour}, now)));
  BOOST_REQUIRE(static_cast<bool>(file.save(store)));
  struct stat found = {};
  BOOST_REQUIRE(::stat(file.path().c_str(), &found) == 0);
  BOOST_TEST((found.st_mode & 0777) == 0600U);
  const auto before = file.version();
  BOOST_TEST(store.used(first->record.id, now + hour));
  BOOST_TEST(!store.used(first->record.id, now + hour + 1));
  BOOST_REQUIRE(static_cast<bool>(file.save_uses(store)));
  BOOST_TEST(file.version() == before);
  const auto loaded = file.load();
  BOOST_REQUIRE((loaded && loaded->has_value()));
  BOOST_TEST(((*loaded)->all() == store.all()));
  BOOST_TEST(((*loaded)->check(first->text, now).what == verdict::good));
  BOOST_REQUIRE(static_cast<bool>(file.save(store)));
  BOOST_TEST(file.version() != before);
}

BOOST_AUTO_TEST_CASE(takes_no_damaged_file) {
  token_store store;
  BOOST_REQUIRE(static_cast<bool>(store.create({}, now)));
  const auto text = store.to_text();
  BOOST_TEST(static_cast<bool>(token_store::parse(text)));
  for (std::size_t size = 0; size + 2 < text.size(); ++size)
    BOOST_TEST(!token_store::parse(text.substr(0, size)));
  for (
      const char* wrong :
      {"[]", "{}", R"({"version":1})", R"({"version":1,"tokens":{"a":1}})",
       R"({"version":1,"tokens":[{}]})", R"({"version":"1","tokens":[]})",
       R"({"version":1,"tokens":[{"id":"x","hash":"y","role":"viewer","topics":[],"created":0}]})"})
    BOOST_TEST(!token_store::parse(wrong), wrong);
  BOOST_TEST((token_store::parse(R"({"version":2,"tokens":[]})").error().code == ec::unsupported));
}

BOOST_AUTO_TEST_CASE(follows_its_file) {
  const test::scratch_folder folder;
  const token_file file(folder.path());
  auto guard = token_guard::open(folder.path());
  BOOST_REQUIRE(guard);
  BOOST_TEST((guard->tokens() == nullptr));
  token_store store;
  const auto made = store.create({}, now);
  BOOST_REQUIRE(static_cast<bool>(file.save(store)));
  guard->refresh();
  BOOST_REQUIRE((guard->tokens() != nullptr));
  BOOST_TEST(guard->any_good(now));
  guard->used(made->record.id, now);
  guard->refresh();
  BOOST_TEST((*file.load())->all()[0].last_used == now);
  // Without the last token, or the file, nobody comes in.
  BOOST_REQUIRE(static_cast<bool>(store.revoke(made->record.id)));
  BOOST_REQUIRE(static_cast<bool>(file.save(store)));
  guard->refresh();
  BOOST_REQUIRE((guard->tokens() != nullptr));
  BOOST_TEST(!guard->any_good(now));
  std::ofstream(file.path()) << "damaged";
  guard->refresh();
  BOOST_TEST((guard->tokens() != nullptr));
  std::filesystem::remove(file.path());
  guard->refresh();
  BOOST_TEST((guard->tokens() != nullptr));
  BOOST_TEST(!guard->any_good(now));
}

BOOST_AUTO_TEST_SUITE_END()
