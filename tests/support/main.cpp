// The one translation unit that makes Boost.Test's main function.
#define BOOST_TEST_MODULE ebb
#include <boost/test/unit_test.hpp>
