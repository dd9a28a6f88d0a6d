# Clock of @TOP@. Used out of context; in a block design the clock of the system takes its place.
create_clock -name aclk -period @PERIOD_NS@ [get_ports aclk]
