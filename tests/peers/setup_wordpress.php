<?php
/* Installs WordPress with three users, and prints their application passwords as JSON. Run once, from its folder. */

define( 'WP_INSTALLING', true );

function wp_new_blog_notification() {}

require __DIR__ . '/wp-config-database.php';
require __DIR__ . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';

wp_install( 'Mill & Sons', 'admin', 'admin@mill.example', true, '', wp_generate_password() );
update_option( 'permalink_structure', '/%postname%/' );
flush_rewrite_rules( false );
foreach ( get_posts( array( 'post_type' => 'any', 'post_status' => 'any', 'numberposts' => -1 ) ) as $post ) {
	wp_delete_post( $post->ID, true );
}

$passwords = array();
foreach ( array( 'administrator', 'editor', 'author', 'contributor' ) as $role ) {
	$user = wp_insert_user( array(
		'user_login'   => "the-$role",
		'user_pass'    => wp_generate_password(),
		'user_email'   => "$role@mill.example",
		'display_name' => ucfirst( $role ),
		'role'         => $role,
	) );
	list( $password, $item ) = WP_Application_Passwords::create_new_application_password( $user, array( 'name' => 'Steward' ) );
	$passwords[ $role ] = WP_Application_Passwords::chunk_password( $password );
}
echo json_encode( $passwords );
