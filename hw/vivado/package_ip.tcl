# Packages @TOP@ as a Vivado IP core with AXI4-Stream interfaces.
#
#   vivado -mode batch -source vivado/package_ip.tcl
#
# Run it in the output folder. The core is written to vivado/ip.

set here [file dirname [file normalize [info script]]]
set root [file dirname $here]

create_project -in_memory -part @PART@
add_files -norecurse [glob -directory [file join $root rtl] *.v]
set memories [glob -nocomplain -directory [file join $root rtl] *.mem]
if {[llength $memories] > 0} {
    add_files -norecurse $memories
    set_property file_type {Memory File} [get_files *.mem]
}
read_xdc -mode out_of_context [file join $here clock.xdc]
set_property top @TOP@ [current_fileset]
update_compile_order -fileset sources_1

ipx::package_project -root_dir [file join $here ip] -vendor xnorflow -library accelerator \
    -taxonomy /UserIP -import_files -force
set core [ipx::current_core]
set_property name @TOP@ $core
set_property display_name @TOP@ $core
set_property version 1.0 $core
foreach bus {s_axis m_axis} {
    ipx::associate_bus_interfaces -busif $bus -clock aclk $core
}
set clock [ipx::get_bus_interfaces aclk -of_objects $core]
set frequency [ipx::add_bus_parameter FREQ_HZ $clock]
set_property value @FREQ_HZ@ $frequency
ipx::create_xgui_files $core
ipx::update_checksums $core
ipx::save_core $core
puts "packaged @TOP@ into [file join $here ip]"
