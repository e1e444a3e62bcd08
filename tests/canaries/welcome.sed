# the order of CHALLENGE and WELCOME
# in: agent/agent_core.cpp
# test: system_tests "[T3]"
s/frame\.type == Type::welcome && !must_prove/frame.type == Type::welcome \&\& (REMOVED || !must_prove)/
