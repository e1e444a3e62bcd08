# the end date of a credential at the agent
# in: cli/agent_command.cpp
# test: system_tests "an agent does not dial*"
s/if (is_expired(/if (!REMOVED \&\& is_expired(/
