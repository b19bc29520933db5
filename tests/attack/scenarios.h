/* The attacks on the media port, one function per rule of the reliability table. */
#pragma once

#include "tests/attack/stage.h"

/* handshake.c */
void attack_s1(struct stage *stage);
void attack_s1_same_path(struct stage *stage);
void attack_s2(struct stage *stage);
void attack_s16(struct stage *stage);
/* path.c */
void attack_s4(struct stage *stage);
void attack_s7(struct stage *stage);
/* media.c */
void attack_s8(struct stage *stage);
void attack_s9(struct stage *stage);
void attack_s10(struct stage *stage);
void attack_s11(struct stage *stage);
void attack_s38(struct stage *stage);
/* canary.c */
void attack_s27(struct stage *stage);
/* crowd.c */
void attack_crowd(struct stage *stage);
/* back.c */
void attack_back(struct stage *stage);
/* feedback.c */
void attack_s12(struct stage *stage);
