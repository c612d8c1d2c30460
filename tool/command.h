// The commands. Each returns the program's exit code: 0, 1 for mistakes in what it was given, 2 for wrong options.
#pragma once

#include "session.h"

int command_check(struct session *s);
int command_build(struct session *s);
int command_report(struct session *s);
int command_graph(struct session *s);
int command_run(struct session *s);
