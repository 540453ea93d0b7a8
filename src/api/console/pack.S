/* The files of the web console, as web/pack.mjs has packed them: see assets.hpp. */
        .section .rodata
        .balign 16
        .global syncline_console_pack
        .type syncline_console_pack, %object
syncline_console_pack:
        .incbin SYNCLINE_CONSOLE_PACK
        .global syncline_console_pack_end
        .type syncline_console_pack_end, %object
syncline_console_pack_end:
        .byte 0
        .section .note.GNU-stack,"",%progbits
